import type { Driver, DriverDeps } from '../../driver.ts';
import { type ModbusConfig, parseEndpoint } from './config.ts';
import { DeviceReader } from './device-reader.ts';
import type { ReadRequest } from './pdu.ts';
import { createTcpTransport } from './transport.ts';

/** A Modbus TCP connection: one socket, one request at a time, any number of units behind it. */
export function create(config: ModbusConfig, deps: DriverDeps): Driver {
  const { clock } = deps;
  const endpoint = parseEndpoint(config.endpoint);
  if (endpoint === undefined) throw new Error(`${config.endpoint} is not a Modbus TCP endpoint`);
  const transport = createTcpTransport({ ...endpoint, timeoutMs: config.timeoutMs, clock });
  const readers = new Map(config.devices.map((device) => [device.id, new DeviceReader(config, device, deps)]));
  let lastAnswerMs = Number.NEGATIVE_INFINITY;

  const request = async (wanted: ReadRequest, signal: AbortSignal): Promise<Buffer> => {
    const pauseMs = lastAnswerMs + config.requestSpacingMs - clock.monotonic();
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    try {
      return await transport.read(wanted, signal);
    } finally {
      lastAnswerMs = clock.monotonic();
    }
  };

  return {
    connect: async (signal) => {
      await transport.connect(signal);
      if (config.pauseAfterConnectMs > 0) await clock.sleep(config.pauseAfterConnectMs, signal);
    },
    read: async (deviceId, signal) => {
      const reader = readers.get(deviceId);
      if (reader === undefined) throw new Error(`connection ${config.id} has no device ${deviceId}`);
      return reader.read((wanted) => request(wanted, signal));
    },
    close: async () => transport.close(),
  };
}
