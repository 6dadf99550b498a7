import { type Log, silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CommandRefusal, createDeviceCommands, type DeviceCommand, type DeviceCommands } from './device-command.ts';
import { createDeviceTable } from './device-table.ts';

let taken: DeviceCommand[];
let refused: unknown[];
let infos: string[];
let audited: CommandRefusal[];
let commands: DeviceCommands;
let clock: ReturnType<typeof createSimClock>;
let take: (deviceId: string, payload: Uint8Array) => void;
let send: (...metrics: readonly Metric[]) => void;

beforeEach(() => {
  taken = [];
  refused = [];
  infos = [];
  audited = [];
  clock = createSimClock();
  const devices = createDeviceTable();
  devices.add({ id: 'd', intervalMs: 0 }, [
    { name: 'Read', dataType: 'Double' },
    { name: 'Speed', dataType: 'Int16', isWritable: true },
    { name: 'Recipe', dataType: 'String', isWritable: true },
    { name: 'Width', dataType: 'UInt16', isWritable: true },
    { name: 'Heater', dataType: 'Boolean', isWritable: true },
    { name: 'Ratio', dataType: 'Double', isWritable: true },
  ]);
  const log: Log = Object.assign(silentLog(), {
    warn: (fields: { reason?: unknown }) => refused.push(fields.reason ?? 'other'),
    info: (_: object, said: string) => infos.push(said),
  });
  const handler = {
    problem: ({ metric, value }: DeviceCommand) => (metric === 'Ratio' && Number(value) > 100 ? `${value} is above 100` : undefined),
    obey: (command: DeviceCommand) => taken.push(command),
    refused: (refusal: CommandRefusal) => audited.push(refusal),
  };
  commands = createDeviceCommands({ clock, log, devices, handler });
  take = commands.take;
  send = (...metrics) => take('d', encodePayload({ timestampMs: 1, metrics }));
});

describe('commands for devices', () => {
  it('hands on what is writable and fits, by name and by alias, also negative numbers without a type', () => {
    send({ name: 'Speed', dataType: dataType.Int16, value: 7 }, { alias: 2, value: -3 }, { name: 'Recipe', value: 'A' });
    expect(taken).toEqual([
      { deviceId: 'd', metric: 'Speed', value: 7 },
      { deviceId: 'd', metric: 'Speed', value: -3 },
      { deviceId: 'd', metric: 'Recipe', value: 'A' },
    ]);
    expect(refused).toEqual([]);
  });

  it('refuses everything else, each with one line', () => {
    send(
      { name: 'Read', dataType: dataType.Double, value: 1 },
      { name: 'Nothing', value: 1 },
      { alias: 99, value: 1 },
      { name: 'Speed', value: null },
      { name: 'Speed', value: 'fast' },
      { name: 'Speed', dataType: dataType.Double, value: 1.5 },
    );
    expect(taken).toEqual([]);
    expect(refused).toEqual([
      'the metric is not writable',
      'the device has no such metric',
      'the device has no such metric',
      'the value is no Int16',
      'the value is no Int16',
      'the value is no Int16',
    ]);
  });

  it.each([
    ['Speed', 'Int32', 70_000],
    ['Speed', 'UInt16', 40_000],
    ['Speed', 'Int64', 65_546],
    ['Speed', 'DateTime', 12_345_678_901_234],
    ['Speed', undefined, 70_000],
    ['Speed', 'Boolean', true],
    ['Width', 'UInt32', 65_536],
    ['Width', 'Int16', -5],
    ['Width', 'Boolean', true],
    ['Heater', 'UInt16', 1],
    ['Ratio', 'Double', Number.NaN],
    ['Ratio', 'String', '1'],
  ] as const)('never makes another value of one that %s cannot hold: %s %s', (name, type, value) => {
    send({ name, value, ...(type === undefined ? {} : { dataType: dataType[type] }) });
    expect(taken).toEqual([]);
    expect(refused).toHaveLength(1);
  });

  it.each([
    ['Speed', 'Int8', -5, -5],
    ['Speed', 'Int16', -32_768, -32_768],
    ['Speed', 'Double', 7, 7],
    ['Speed', 'UInt64', 7, 7],
    ['Width', 'Int32', 65_535, 65_535],
    ['Width', undefined, 65_535, 65_535],
    ['Heater', 'Boolean', true, true],
    ['Ratio', 'Float', 0.5, 0.5],
    ['Ratio', 'Int32', -2, -2],
  ] as const)('understands a value by the type that came with it: %s %s %s', (name, type, value, wanted) => {
    send({ name, value, ...(type === undefined ? {} : { dataType: dataType[type] }) });
    expect(taken).toEqual([{ deviceId: 'd', metric: name, value: wanted }]);
  });

  it('takes a negative number in as many bits as its type has', () => {
    // Metric Speed, data type Int16, int_value 65531: what Tahu for Python sends for −5.
    take('d', Buffer.from('120d0a055370656564200250fbff03', 'hex'));
    expect(taken).toEqual([{ deviceId: 'd', metric: 'Speed', value: -5 }]);
  });

  it('takes no more than a person could mean, and goes on after that', async () => {
    for (let i = 0; i < 100; i++) send({ name: 'Speed', value: i });
    expect(taken).toHaveLength(32);
    expect(refused).toEqual(['other']);
    await clock.advance(1000);
    send({ name: 'Speed', value: 1 });
    expect(taken).toHaveLength(33);
  });

  it('says that it accepted one only when nothing speaks against it', () => {
    send({ name: 'Ratio', dataType: dataType.Double, value: 101 }, { name: 'Ratio', dataType: dataType.Double, value: 99 });
    expect(taken).toEqual([{ deviceId: 'd', metric: 'Ratio', value: 99 }]);
    expect(infos).toEqual(['A command was accepted']);
    expect(refused).toEqual(['101 is above 100']);
  });

  it('hands every refusal to the audit trail, cut to a length', async () => {
    send({ name: 'Read', value: 1 }, { name: 'x'.repeat(500), value: 1 }, { alias: 99, value: 1 }, { name: 'Ratio', value: 'a' });
    send({ name: 'Ratio', dataType: dataType.Double, value: 101 });
    take('d', Buffer.from('ff', 'hex'));
    commands.refuse('d'.repeat(500), 'it is retained: old');
    for (let i = 0; i < 40; i++) send({ name: 'Speed', value: i });
    const [first, second, third, fourth, fifth, sixth, seventh, ...tooMany] = audited;
    expect([first, third, fourth, fifth, sixth]).toEqual([
      { deviceId: 'd', metric: 'Read', reason: 'the metric is not writable', timestampMs: clock.now() },
      { deviceId: 'd', metric: 'alias 99', reason: 'the device has no such metric', timestampMs: clock.now() },
      { deviceId: 'd', metric: 'Ratio', reason: 'the value is no Double', timestampMs: clock.now() },
      { deviceId: 'd', metric: 'Ratio', value: 101, reason: '101 is above 100', timestampMs: clock.now() },
      { deviceId: 'd', reason: 'it could not be read', timestampMs: clock.now() },
    ]);
    expect([second?.metric?.length, seventh?.deviceId.length]).toEqual([80, 80]);
    expect(tooMany.length).toBeGreaterThan(10);
    expect(tooMany.every(({ reason, metric }) => reason === 'more than 32 commands in one second' && metric === undefined)).toBe(true);
  });
});
