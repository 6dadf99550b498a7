import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { besidePymodbus, hasPymodbus, pymodbusPackages } from '../../../test/harness/pymodbus.ts';
import type { Driver } from '../../driver.ts';
import { closedPort, listenLocally, startSilentServer } from '../../testing/listen-locally.ts';
import { rtuRegisters } from '../../testing/modbus-line.ts';
import { exceptionFrame, registersFrame, startModbusWire } from '../../testing/modbus-wire.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { modbusConfig } from './config.ts';
import { create } from './driver.ts';
import { type FoundUnit, probeRegisters, scanUnits } from './scan.ts';

const socat = '/usr/bin/socat';
const never = new AbortController().signal;
const stateDir = mkdtempSync(join(tmpdir(), 'nhip-modbus-'));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
const clock = createNodeClock();
const deps = { clock, random: createSimRandom(1), log: silentLog(), stateDir };
const serial = { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 } as const;

const children: ChildProcess[] = [];
const drivers: Driver[] = [];
const start = (command: string, args: readonly string[]): void => {
  children.push(spawn(command, [...args], { stdio: 'ignore' }));
};

function driverFor(
  endpoint: string,
  change: object = {},
  tags: readonly object[] = [{ metric: 'Level', address: 'holding:7:uint16' }],
): Driver {
  const config = modbusConfig.parse({ id: 'c', driver: 'modbus', endpoint, devices: [{ id: 'd', unit: 1, tags }], ...change });
  const driver = create(config, deps);
  drivers.push(driver);
  return driver;
}

async function valuesOf(driver: Driver): Promise<object> {
  return Object.fromEntries(((await driver.read?.('d', never)) ?? []).map(({ metric, value }) => [metric, value]));
}

afterEach(async () => {
  for (const driver of drivers.splice(0)) await driver.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('a serial line with pymodbus at its other end', () => {
  it('is read, written, scanned and probed', async ({ skip }) => {
    skip(!hasPymodbus, pymodbusPackages);
    skip(!existsSync(socat), 'needs the Debian package socat');
    const folder = mkdtempSync(join(tmpdir(), 'nhip-pty-'));
    const [near, far] = [join(folder, 'near'), join(folder, 'far')];
    try {
      start(socat, [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`]);
      await waitFor('the pty pair', () => existsSync(near) && existsSync(far));
      await besidePymodbus(rtuServer, far, async () => {
        const endpoint = `rtu://${near}`;
        const driver = driverFor(endpoint, { timeoutMs: 1000, serial }, [
          { metric: 'Level', address: 'holding:7:uint16', writable: true },
          { metric: 'Bit', address: 'holding:9.3:bool', writable: true },
          { metric: 'Float', address: 'holding:10:float32:CDAB', writable: true },
          { metric: 'Hole', address: 'holding:60:uint16' },
        ]);
        await driver.connect(never);
        await until(() => driver.read?.('d', never));
        expect(await valuesOf(driver)).toEqual({ Level: 107, Bit: true, Float: expect.any(Number), Hole: null });
        expect(await driver.write?.('d', { metric: 'Level', value: 4321 }, never)).toMatchObject({ value: 4321 });
        expect(await driver.write?.('d', { metric: 'Bit', value: false }, never)).toMatchObject({ value: false });
        expect(await driver.write?.('d', { metric: 'Float', value: 1.25 }, never)).toMatchObject({ value: 1.25 });
        expect(await valuesOf(driver)).toMatchObject({ Level: 4321, Bit: false, Float: 1.25 });

        // The port belongs to one connection.
        const second = driverFor(endpoint, { serial });
        await expect(second.connect(never)).rejects.toThrow('another program uses the serial port');
        await driver.close();

        const found: FoundUnit[] = [];
        await scanUnits({ endpoint, serial, clock }, { from: 1, to: 3, timeoutMs: 1000 }, (unit) => found.push(unit), never);
        expect(found).toMatchObject([{ unit: 1, identity: { VendorName: 'Nhip test', ProductCode: 'P1' } }]);
        const probe = { unit: 1, table: 'holding', from: 0, to: 80, timeoutMs: 1000, maxRequests: 200 } as const;
        const report = await probeRegisters({ endpoint, serial, clock }, probe, never);
        expect(report).toMatchObject({ readable: [[0, 39]], unknown: [] });
        const short = await probeRegisters({ endpoint, serial, clock }, { ...probe, maxRequests: 5 }, never);
        expect(short.requests).toBe(5);
        expect(short.unknown.length).toBeGreaterThan(0);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('RTU over TCP', () => {
  it('is read through a serial server', async () => {
    const server = createServer((socket) => socket.on('data', (chunk) => socket.write(rtuRegisters(chunk, (address) => address))));
    const port = await listenLocally(server);
    const driver = driverFor(`rtu-over-tcp://127.0.0.1:${port}`);
    await driver.connect(never);
    expect(await valuesOf(driver)).toEqual({ Level: 7 });
    await driver.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a modem that dials in', () => {
  /** Dials in as soon as somebody listens, says its number, and answers as a device. */
  const dial = async (port: number, add: number): Promise<Socket> => {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      const isConnected = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.on('error', () => resolve(false));
      });
      if (!isConnected) continue;
      socket.write('IMEI 356938035643809\r\n');
      socket.on('data', (chunk) => socket.write(rtuRegisters(chunk, (address) => address + add)));
      return socket;
    }
  };

  it('is waited for, read, and replaced when it dials in again', async () => {
    const port = await closedPort();
    const endpoint = `listen-rtu-over-tcp://127.0.0.1:${port}`;
    const driver = driverFor(endpoint);
    const connecting = driver.connect(never);
    const first = await dial(port, 100);
    await connecting;
    expect(await valuesOf(driver)).toEqual({ Level: 107 });
    // The second one wins: the first connection is lost for the host, which makes a new driver.
    const second = await dial(port, 200);
    await waitFor('the first connection to be dropped', () => first.destroyed);
    await expect(driver.read?.('d', never)).rejects.toThrow('dialled in again');
    await driver.close();
    const next = driverFor(endpoint);
    await next.connect(never);
    expect(await valuesOf(next)).toEqual({ Level: 207 });
    await expect(driverFor(endpoint).connect(never)).rejects.toThrow('listens there already');
    second.destroy();
  });

  it('is given up when the signal aborts', async () => {
    const driver = driverFor(`listen-tcp://127.0.0.1:${await closedPort()}`);
    await expect(driver.connect(AbortSignal.timeout(50))).rejects.toThrow();
  });
});

describe('a backup endpoint', () => {
  const answering = async () => startModbusWire((request, socket) => socket.write(registersFrame(request, () => 42)));

  it('is used when the endpoint cannot be reached, or nobody answers there', async () => {
    const backup = await answering();
    const silent = await startSilentServer();
    for (const port of [await closedPort(), silent.port]) {
      const driver = driverFor(`tcp://127.0.0.1:${port}`, { backupEndpoint: backup.endpoint, timeoutMs: 400 });
      await driver.connect(never);
      expect(await valuesOf(driver)).toEqual({ Level: 42 });
      await driver.close();
    }
    await waitFor('no connection to be left', () => silent.open.size === 0 && backup.open.size === 0);
    await silent.close();
    await backup.close();
  });

  it('is not used while the endpoint answers, and both are named when neither does', async () => {
    const [main, backup] = [await answering(), await answering()];
    const driver = driverFor(main.endpoint, { backupEndpoint: backup.endpoint });
    await driver.connect(never);
    expect(backup.accepted).toBe(0);
    await driver.close();
    await main.close();
    await backup.close();
    const none = driverFor(main.endpoint, { backupEndpoint: backup.endpoint });
    await expect(none.connect(never)).rejects.toThrow('neither the endpoint nor its backup');
  });
});

describe('a busy device', () => {
  it.each([5, 6])('is asked again after exception %d, and not for ever', async (code) => {
    let busy = 2;
    const wire = await startModbusWire((request, socket) => {
      socket.write(busy-- > 0 ? exceptionFrame(request, code) : registersFrame(request, () => 42));
    });
    const driver = driverFor(wire.endpoint, { busyRetryMs: 5 });
    await driver.connect(never);
    expect(await valuesOf(driver)).toEqual({ Level: 42 });
    expect(wire.requests.length).toBe(3);
    busy = Number.POSITIVE_INFINITY;
    expect(await valuesOf(driver)).toEqual({});
    expect(wire.requests.length).toBe(3 + 4);
    await driver.close();
    await wire.close();
  });
});

/** Repeats until it does not throw. */
async function until(attempt: () => unknown): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await clock.sleep(30);
    }
  }
}

/** Registers 0 to 39 by another implementation; register 9 has bit 3 set. */
const rtuServer = `
import sys
from pymodbus.server import StartSerialServer
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext, ModbusServerContext
values = [100 + i for i in range(40)]
values[9] = 0b1000
unit = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, values), zero_mode=True)
identity = ModbusDeviceIdentification(info_name={'VendorName': 'Nhip test', 'ProductCode': 'P1'})
context = ModbusServerContext(slaves={1: unit}, single=False)
StartSerialServer(context=context, framer=ModbusRtuFramer, identity=identity, port=sys.argv[1], baudrate=115200, ignore_missing_slaves=True)
`;
