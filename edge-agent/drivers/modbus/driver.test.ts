import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import { ServerTCP } from 'modbus-serial';
import { afterAll, describe, expect, it } from 'vitest';
import { besidePymodbus, hasPymodbus, pymodbusPackages } from '../../../test/harness/pymodbus.ts';
import type { Driver, Reading } from '../../driver.ts';
import { driverSuite } from '../../testing/driver-suite.ts';
import { closedPort } from '../../testing/listen-locally.ts';
import { modbusConfig } from './config.ts';
import { create } from './driver.ts';
import { parseEndpoint } from './endpoint.ts';
import { modbus } from './index.ts';

const never = new AbortController().signal;
const stateDir = mkdtempSync(join(tmpdir(), 'nhip-modbus-'));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
const deps = { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir };

/** modbus-serial as an independent server: unit 1 with a register image. */
async function startModbusSerial(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const image = Buffer.alloc(400);
  image.writeFloatBE(231.5, 0);
  image.writeUInt16BE(7, 10);
  image.writeBigInt64BE(-9_007_199_254_740_993n, 20);
  image.write('Press 1', 40);
  const register = (address: number): number => image.readUInt16BE(address * 2);
  const port = await closedPort();
  const server = new ServerTCP(
    {
      getHoldingRegister: register,
      getInputRegister: register,
      getCoil: (address: number) => address % 3 === 0,
      getDiscreteInput: (address: number) => address === 9,
    },
    { host: '127.0.0.1', port, unitID: 1 },
  );
  server.on('socketError', () => {});
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

const tags = [
  { metric: 'Voltage', address: 'input:0:float32', unitName: 'V' },
  { metric: 'State', address: 'holding:5:uint16', enum: { 7: 'running' } },
  { metric: 'Temperature', address: 'holding:5:int16', scale: 0.1 },
  { metric: 'Energy/Import', address: 'holding:10:int64' },
  { metric: 'Name', address: 'holding:20:string8' },
  { metric: 'Alarm/Door', address: 'coil:9:bool' },
  { metric: 'Guard', address: 'discrete:9:bool' },
  { metric: 'Ready', address: 'holding:5.2:bool' },
];

driverSuite({
  plugin: modbus,
  startPeer: async () => {
    const { port, stop } = await startModbusSerial();
    return {
      config: { id: 'meter', driver: 'modbus', endpoint: `tcp://127.0.0.1:${port}`, devices: [{ id: 'meter', unit: 1, tags }] },
      stop,
    };
  },
  atPort: (config, port) => ({ ...config, endpoint: `tcp://127.0.0.1:${port}`, timeoutMs: 5000 }),
});

async function readAll(driver: Driver, deviceId: string): Promise<ReadonlyMap<string, Reading>> {
  const readings = (await driver.read?.(deviceId, never)) ?? [];
  return new Map(readings.map((reading) => [reading.metric, reading]));
}

describe('the Modbus driver', () => {
  it('reads every kind of value from modbus-serial in few requests', async () => {
    const server = await startModbusSerial();
    const driver = create(
      modbusConfig.parse({ id: 'm', driver: 'modbus', endpoint: `tcp://127.0.0.1:${server.port}`, devices: [{ id: 'd', unit: 1, tags }] }),
      deps,
    );
    await driver.connect(never);
    const values = new Map([...(await readAll(driver, 'd'))].map(([metric, reading]) => [metric, reading.value]));
    expect(Object.fromEntries(values)).toEqual({
      Voltage: 231.5,
      State: 'running',
      Temperature: 0.7,
      'Energy/Import': -9_007_199_254_740_993n,
      Name: 'Press 1',
      'Alarm/Door': true,
      Guard: true,
      Ready: true,
    });
    await driver.close();
    await server.stop();
  });

  it('reads the readable part of a sparse pymodbus device and marks the rest', async ({ skip }) => {
    skip(!hasPymodbus, pymodbusPackages);
    const port = await closedPort();
    await besidePymodbus(sparseServer, String(port), async () => {
      const addresses = [0, 1, 2, 10, 11, 20, 21, 30];
      const config = modbusConfig.parse({
        id: 'p',
        driver: 'modbus',
        endpoint: `tcp://127.0.0.1:${port}`,
        devices: [{ id: 'd', unit: 1, tags: addresses.map((at) => ({ metric: `r${at}`, address: `holding:${at}:uint16` })) }],
      });
      const driver = await connectWhenUp(() => create(config, deps));
      const readings = await readAll(driver, 'd');
      for (const at of addresses) {
        // pymodbus has 0–2, 10 and 20–21; 11 and 30 are holes, and so is all in between.
        const expected = at === 11 || at === 30 ? { value: null, quality: quality.bad } : { value: at + 100, quality: quality.good };
        expect(readings.get(`r${at}`), `r${at}`).toMatchObject(expected);
      }
      await driver.close();
    });
  });

  it('keeps to the pause between requests', async () => {
    const server = await startModbusSerial();
    const driver = create(
      modbusConfig.parse({
        id: 'm',
        driver: 'modbus',
        endpoint: `tcp://127.0.0.1:${server.port}`,
        requestSpacingMs: 40,
        devices: [{ id: 'd', unit: 1, tags }],
      }),
      deps,
    );
    await driver.connect(never);
    const before = performance.now();
    await readAll(driver, 'd');
    // Four tables are four requests with three pauses.
    expect(performance.now() - before).toBeGreaterThanOrEqual(3 * 40 - 5);
    await driver.close();
    await server.stop();
  });
});

describe('the Modbus config', () => {
  const base = {
    id: 'm',
    driver: 'modbus',
    endpoint: 'tcp://10.0.0.1:502',
    devices: [{ id: 'd', unit: 1, tags: [{ metric: 'a', address: 'coil:0:bool' }] }],
  };
  const problems = (change: object): readonly string[] =>
    modbusConfig.safeParse({ ...base, ...change }).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  const withTags = (...all: object[]): object => ({ devices: [{ id: 'd', unit: 1, tags: all }] });

  it('says what is wrong, where, and all at once', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ endpoint: 'modbus://x' })).toEqual([
      'endpoint: "modbus://x" is no endpoint: use tcp://host:port, rtu:///dev/ttyUSB0, rtu-over-tcp://host:port, listen-tcp://address:port or listen-rtu-over-tcp://address:port',
    ]);
    expect(problems(withTags({ metric: 'a', address: 'holding:0:int16' }, { metric: 'A', address: 'nowhere:0:int16' }))).toEqual([
      'devices.0.tags.1.address: "nowhere:0:int16": "nowhere" is not a table; use coil, discrete, input, holding',
      'devices.0.tags.1.metric: "A" is already the metric of tags[0] (case does not count)',
    ]);
    expect(
      problems(
        withTags(
          { metric: 'a', address: 'holding:0:int16', enum: { 0: 'x' }, scale: 2 },
          { metric: 'A', address: 'coil:0:bool', scale: 0 },
          { metric: 'b', address: 'holding:0:int16', deadband: 1, deadbandPercent: 1 },
        ),
      ),
    ).toEqual([
      'devices.0.tags.0.enum: cannot be combined with scale or offset',
      'devices.0.tags.1.metric: "A" is already the metric of tags[0] (case does not count)',
      'devices.0.tags.1.scale: must not be 0: every value would be the offset',
      expect.stringContaining('devices.0.tags.2.deadbandPercent: '),
      'devices.0.tags.1.scale: a bool cannot be scaled',
    ]);
    expect(problems({ maxWords: 2, ...withTags({ metric: 'a', address: 'holding:0:int64' }) })).toEqual([
      'devices.0.tags.0.address: needs 4 registers in one request, maxWords is 2',
    ]);
    expect(problems({ devices: [...base.devices, ...base.devices] })).toEqual(['devices.1.id: "d" is already the id of devices[0]']);
  });

  it('names the Sparkplug type of every tag', () => {
    const device = modbusConfig.parse({ ...base, ...withTags(...tags) }).devices[0];
    if (device === undefined) throw new Error('no device');
    expect(modbus.metrics(device).map(({ name, dataType, unit }) => [name, dataType, unit])).toEqual([
      ['Voltage', 'Float', 'V'],
      ['State', 'String', undefined],
      ['Temperature', 'Double', undefined],
      ['Energy/Import', 'Int64', undefined],
      ['Name', 'String', undefined],
      ['Alarm/Door', 'Boolean', undefined],
      ['Guard', 'Boolean', undefined],
      ['Ready', 'Boolean', undefined],
    ]);
  });

  it('understands hosts, IPv6 and the default port', () => {
    const tcp = { kind: 'tcp', framing: 'tcp' };
    expect(parseEndpoint('tcp://plc-3.local')).toEqual({ ...tcp, host: 'plc-3.local', port: 502 });
    expect(parseEndpoint('tcp://[fe80::1]:1502')).toEqual({ ...tcp, host: 'fe80::1', port: 1502 });
    expect(parseEndpoint('tcp://host:99999')).toBeUndefined();
    expect(parseEndpoint('tcp://a b:1')).toBeUndefined();
  });

  it('understands serial lines, serial servers and devices that dial in', () => {
    expect(parseEndpoint('rtu:///dev/ttyUSB0')).toEqual({ kind: 'serial', framing: 'rtu', path: '/dev/ttyUSB0' });
    expect(parseEndpoint('rtu-over-tcp://10.0.0.9:4001')).toEqual({ kind: 'tcp', framing: 'rtu', host: '10.0.0.9', port: 4001 });
    expect(parseEndpoint('listen-tcp://0.0.0.0:5020')).toEqual({ kind: 'listen', framing: 'tcp', host: '0.0.0.0', port: 5020 });
    expect(parseEndpoint('listen-rtu-over-tcp://[::]:5020')).toEqual({ kind: 'listen', framing: 'rtu', host: '::', port: 5020 });
    for (const text of ['rtu-over-tcp://10.0.0.9', 'listen-tcp://:5020', 'rtu://ttyUSB0', 'rtu:///dev/tty USB', 'constructor://a:1']) {
      expect(parseEndpoint(text), text).toBeUndefined();
    }
  });
});

async function connectWhenUp(make: () => Driver): Promise<Driver> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const driver = make();
    try {
      await driver.connect(never);
      return driver;
    } catch (error) {
      await driver.close();
      if (performance.now() > deadline) throw error;
      await deps.clock.sleep(50);
    }
  }
}

/** A device with holes, by another implementation. */
const sparseServer = `
import sys
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusSparseDataBlock, ModbusSlaveContext, ModbusServerContext
block = ModbusSparseDataBlock({0: 100, 1: 101, 2: 102, 10: 110, 20: 120, 21: 121})
StartTcpServer(context=ModbusServerContext(slaves=ModbusSlaveContext(hr=block, zero_mode=True), single=True), address=('127.0.0.1', int(sys.argv[1])))
`;
