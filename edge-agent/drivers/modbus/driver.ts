import { ConfigError } from '@nhip/core/process/errors';
import { ConnectionLostError, type Driver, type DriverDeps } from '../../driver.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import { connectExtraMs, connectFirst, transportFor } from './connect.ts';
import { createCostMeter, expectedCost } from './cost.ts';
import { createDevicePoints } from './device-points.ts';
import { DeviceReader } from './device-reader.ts';
import { parseEndpoint } from './endpoint.ts';
import { ModbusExceptionError } from './errors.ts';
import { createLearnedFile } from './learned-file.ts';
import { type Exchange, readExchange } from './pdu.ts';
import type { ModbusTransport } from './transport.ts';
import { createDeviceWriter, type DeviceWriter } from './writer.ts';

interface Device {
  readonly config: ModbusDeviceConfig;
  readonly reader: DeviceReader;
  readonly writer: DeviceWriter;
  /** `learnedVersion` of what is on disk. */
  keptVersion: number;
}

/** Exceptions by which a device asks for time: acknowledge, busy. */
const busyExceptions: readonly number[] = [5, 6];

/** A Modbus connection: one socket or serial line, one request at a time, any number of units behind it. */
export function create(config: ModbusConfig, deps: DriverDeps): Driver {
  const { clock, log } = deps;
  const endpoint = parseEndpoint(config.endpoint);
  if (endpoint === undefined) throw new Error(`${config.endpoint} is not a Modbus endpoint`);
  const endpoints = [config.endpoint, ...(config.backupEndpoint === undefined ? [] : [config.backupEndpoint])];
  const transports = endpoints.map((text) => transportFor(config, text, clock));
  const learnedFile = createLearnedFile(config, deps.stateDir, clock, log);
  const expected = expectedCost(endpoint, config.serial);
  const devices = new Map(
    config.devices.map((device): [string, Device] => {
      const points = createDevicePoints(device, log.child({ device: device.id }));
      const meter = createCostMeter(expected, endpoint.kind === 'serial');
      const reader = new DeviceReader(config, device, points, meter, deps);
      return [device.id, { config: device, reader, writer: createDeviceWriter(device, points), keptVersion: 0 }];
    }),
  );
  let transport: ModbusTransport | undefined;
  let lastAnswerMs = Number.NEGATIVE_INFINITY;

  const sendOnce = async (exchange: Exchange, signal: AbortSignal): Promise<Buffer> => {
    if (transport === undefined) throw new ConnectionLostError(`${config.endpoint}: not connected`);
    const pauseMs = lastAnswerMs + config.requestSpacingMs - clock.monotonic();
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    try {
      return await transport.send(exchange, signal);
    } finally {
      lastAnswerMs = clock.monotonic();
    }
  };

  const send = async (exchange: Exchange, signal: AbortSignal): Promise<Buffer> => {
    for (let retriesLeft = config.busyRetries; ; retriesLeft--) {
      try {
        return await sendOnce(exchange, signal);
      } catch (error) {
        const isBusy = error instanceof ModbusExceptionError && busyExceptions.includes(error.exceptionCode);
        if (!isBusy || retriesLeft === 0) throw error;
        await clock.sleep(config.busyRetryMs, signal);
      }
    }
  };

  const deviceOf = (deviceId: string): Device => {
    const device = devices.get(deviceId);
    if (device === undefined) throw new ConfigError(`connection ${config.id}`, [`has no device "${deviceId}"`]);
    return device;
  };

  const keepWhatWasLearned = (device: Device): void => {
    if (device.reader.learnedVersion === device.keptVersion) return;
    device.keptVersion = device.reader.learnedVersion;
    learnedFile.changed(() => new Map([...devices.values()].map(({ config: of, reader }) => [of, reader.learned()])));
  };

  return {
    connectExtraMs: connectExtraMs(config),
    connect: async (signal) => {
      const learned = await learnedFile.load();
      for (const device of devices.values()) {
        const known = learned(device.config);
        if (known !== undefined) device.reader.restore(known);
      }
      transport = await connectFirst(config, transports, clock, signal);
    },
    read: async (deviceId, signal) => {
      const device = deviceOf(deviceId);
      const readings = await device.reader.read((request) => send(readExchange(request), signal));
      keepWhatWasLearned(device);
      return readings;
    },
    write: async (deviceId, write, signal) => deviceOf(deviceId).writer.write(write, (exchange) => send(exchange, signal), clock.now),
    close: async () => {
      for (const each of transports) each.close();
      await learnedFile.close();
    },
  };
}
