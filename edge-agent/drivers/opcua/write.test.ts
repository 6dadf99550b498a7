import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { DataType } from 'node-opcua-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reading } from '../../driver.ts';
import { type Followed, followDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { rawValue } from './write-problem.ts';
import { variantValue } from './write-value.ts';

const uri = 'urn:plant';
const node = (name: string): string => `nsu=${uri};s=${name}`;
let folder: string;
let server: TestOpcuaServer;
let followed: Followed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-write-'));
  server = await startOpcuaServer({
    namespaces: [uri],
    nodes: [
      { node: node('Setpoint'), dataType: 'Int16', value: 100 },
      { node: node('Mode'), dataType: 'Int32', value: 0 },
      { node: node('Door'), dataType: 'Boolean', value: false },
      { node: node('Total'), dataType: 'Int64', value: [0, 1] },
      { node: node('Job'), dataType: 'String', value: 'A' },
      { node: node('Fixed'), dataType: 'Double', value: 1, isReadOnly: true },
      { node: node('List'), dataType: 'Double', value: [1, 2], isArray: true },
    ],
  });
  const tag = (name: string, dataType: string, more: object = {}): object => ({
    metric: name,
    node: node(name),
    dataType,
    writable: true,
    ...more,
  });
  const tags = [
    tag('Setpoint', 'Double', { scale: 0.1, offset: 5, min: 0, max: 100 }),
    tag('Mode', 'String', { enum: { 0: 'off', 1: 'on', 7: 'on' } }),
    tag('Door', 'Boolean'),
    tag('Total', 'Int64'),
    tag('Job', 'String'),
    tag('Fixed', 'Double'),
    tag('List', 'Double'),
    tag('Gone', 'Double'),
    { metric: 'Read only here', node: node('Setpoint'), dataType: 'Int16' },
  ];
  const config = {
    id: 'c',
    driver: 'opcua',
    endpoint: server.endpoint,
    securityMode: 'None',
    devices: [{ id: 'd', intervalMs: 50, tags }],
  };
  followed = await followDriver(config, opcuaDeps(folder));
}, 60_000);
afterAll(async () => {
  await followed.driver.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const write = (metric: string, value: NonNullable<Value>): Promise<Reading> =>
  followed.driver.write?.('d', { metric, value }, new AbortController().signal) ?? Promise.reject(new Error('it cannot write'));
const atServer = (name: string): unknown => server.variable(node(name)).readValue().value.value;

describe('writing', () => {
  it('undoes scale and enum, and reads back', async () => {
    expect(await write('Setpoint', 20.3)).toMatchObject({ metric: 'Setpoint', value: 20.3, quality: 192 });
    expect(atServer('Setpoint')).toBe(153);
    expect(await write('Mode', 'off')).toMatchObject({ value: 'off' });
    expect(await write('Door', true)).toMatchObject({ value: true });
    expect(await write('Total', 9_007_199_254_740_993n)).toMatchObject({ value: 9_007_199_254_740_993n });
    expect(await write('Job', 'B-7')).toMatchObject({ value: 'B-7' });
  });

  it.each([
    ['Setpoint', 100.5, 'above max 100'],
    ['Setpoint', -1, 'below min 0'],
    ['Setpoint', Number.NaN, 'below min 0'],
    ['Setpoint', 20.35, 'no whole number'],
    ['Setpoint', 'much', 'a number is expected'],
    ['Mode', 'on', 'stands for 1 and 7'],
    ['Mode', 'fast', 'is none of off, on, on'],
    ['Door', 2, 'does not fit'],
    ['Job', 5, 'does not fit'],
    ['Read only here', 1, 'not writable'],
    ['Nothing', 1, 'not writable'],
    ['List', 1, 'is an array'],
  ])('refuses %s = %s: %s', async (metric, value, problem) => {
    const before = ['Setpoint', 'Mode', 'Door', 'Job'].map(atServer);
    await expect(write(metric, value)).rejects.toMatchObject({ code: 'config.invalid', message: expect.stringContaining(problem) });
    expect(['Setpoint', 'Mode', 'Door', 'Job'].map(atServer)).toEqual(before);
  });

  it('leaves to the server what it refuses', async () => {
    await expect(write('Fixed', 2)).rejects.toMatchObject({ code: 'opcua.write' });
    await expect(write('Gone', 2)).rejects.toMatchObject({ code: 'opcua.write' });
    expect(atServer('Fixed')).toBe(1);
  });
});

describe('values to write', () => {
  it('undoes what reading does, for any scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -32_768, max: 32_767 }),
        fc.constantFrom(1, 0.1, 0.01, 0.25, 2, -0.5),
        fc.integer({ min: -50, max: 50 }),
        (raw, scale, offset) => {
          const divisor = Math.round(1 / scale);
          const read = (divisor > 1 && 1 / divisor === scale ? raw / divisor : raw * scale) + offset;
          const undone = rawValue({ scale, offset }, read);
          expect('raw' in undone ? variantValue(undone.raw, DataType.Int16) : undone).toEqual({ value: raw });
        },
      ),
    );
  });

  it('writes 64-bit integers exactly, and none that does not fit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), (value) => {
        const signed = variantValue(value, DataType.Int64);
        const fits = value >= -(2n ** 63n) && value < 2n ** 63n;
        expect('value' in signed).toBe(fits);
        if (!('value' in signed)) return;
        const [high, low] = signed.value as [number, number];
        expect(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))).toBe(value);
      }),
    );
  });
});
