import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { closedPort } from '@nhip/edge-agent/testing/listen-locally';
import { type ModbusSerialPeer, startModbusSerialPeer } from '@nhip/edge-agent/testing/modbus-serial-peer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { modbusConfig, plain, setpoint } from './testing/modbus-config.ts';
import { runAction as run } from './testing/run-action.ts';

let peer: ModbusSerialPeer;
let folder: string;
beforeAll(async () => {
  peer = await startModbusSerialPeer(3, new Map([...Array(20).keys()].map((address) => [address, address * 10] as const)));
  for (const address of [100, 101]) peer.registers.set(address, 7);
});
afterAll(() => peer.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-tools-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const target = (unit?: number): string => `modbus-tcp://127.0.0.1:${peer.port}${unit === undefined ? '' : `/${unit}`}`;

const config = (tags: string, more?: string): string => modbusConfig(folder, peer.port, tags, more);

describe('edge scan', () => {
  it('finds the unit that answers, and its registers', async () => {
    const args = ['--units', '3-4', '--timeout', '1000', '--registers', '--addresses', '0-199', '--json'];
    const { code, text } = await run('scan', target(), ...args);
    expect(code).toBe(0);
    const units = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { unit: number; tables: { table: string; readable: unknown }[] });
    expect(units.map(({ unit }) => unit)).toEqual([3]);
    const holding = units[0]?.tables.find(({ table }) => table === 'holding');
    expect(holding?.readable).toEqual([
      [0, 19],
      [100, 101],
    ]);
  }, 60_000);

  it('says in words who is there; 1 when nobody is', async () => {
    expect(await run('scan', target(3), '--timeout', '1000')).toEqual({
      code: 0,
      text: expect.stringMatching(/^unit {3}3 +\d+ ms {2}.*\n1 of 1 unit\(s\) answer\n$/),
    });
    expect(await run('scan', target(9), '--timeout', '50')).toEqual({ code: 1, text: '0 of 1 unit(s) answer\n' });
  });

  it('rejects when nothing is there, and arguments that cannot be meant', async () => {
    await expect(run('scan', `modbus-tcp://127.0.0.1:${await closedPort()}`)).rejects.toThrow(/ECONNREFUSED|refused/);
    for (const args of [
      ['--units', '0-300'],
      ['--timeout', '5'],
      ['--registers', '--addresses', '9-1'],
    ])
      await expect(run('scan', target(), ...args)).rejects.toThrow(ConfigError);
  });
});

describe('edge plan', () => {
  it('says how many requests a cycle takes, and what simpler plans take', async () => {
    const file = config(`${setpoint}, ${plain}, { metric: Far, address: "holding:5000:uint16" }`);
    const { code, text } = await run('plan', '--config', file, '--requests');
    expect(code).toBe(0);
    expect(text).toMatch(/plc {2}tcp:.* busy .* % of the time\ndevice +unit +every/);
    expect(text).toMatch(/MAY-01 +3 +1000 ms +3 +2 +3 +2 /);
    expect(text).toMatch(/MAY-01 {2}holding 5–6 {2}\(2, 0 unused\)/);
    expect(JSON.parse((await run('plan', '--config', file, '--json')).text)).toMatchObject([
      { connection: 'plc', devices: [{ requests: [{}, {}] }] },
    ]);
  });
});

describe('edge trust', () => {
  it('says that no server was seen, and that a thumbprint is none', async () => {
    const file = config(plain);
    const args = ['--config', file, '--data', join(folder, 'data')];
    expect((await run('trust', 'list', ...args)).text).toMatch(/No server was seen yet/);
    await expect(run('trust', 'add', 'xyz', ...args)).rejects.toThrow(/no thumbprint/);
    await expect(run('trust', 'add', ...args)).rejects.toThrow(/say which/);
    await expect(run('trust', 'burn', ...args)).rejects.toThrow(/"burn" is none of/);
  });
});
