import { type Log, silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDeviceCommands, type DeviceCommand } from './device-command.ts';
import { createDeviceTable } from './device-table.ts';

let taken: DeviceCommand[];
let refused: unknown[];
let clock: ReturnType<typeof createSimClock>;
let send: (...metrics: readonly Metric[]) => void;

beforeEach(() => {
  taken = [];
  refused = [];
  clock = createSimClock();
  const devices = createDeviceTable();
  devices.add({ id: 'd', intervalMs: 0 }, [
    { name: 'Read', dataType: 'Double' },
    { name: 'Speed', dataType: 'Int16', isWritable: true },
    { name: 'Recipe', dataType: 'String', isWritable: true },
  ]);
  const log: Log = Object.assign(silentLog(), { warn: (fields: { reason?: unknown }) => refused.push(fields.reason ?? 'other') });
  const take = createDeviceCommands({ clock, log, devices, onDeviceCommand: (command) => taken.push(command) });
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

  it('takes no more than a person could mean, and goes on after that', async () => {
    for (let i = 0; i < 100; i++) send({ name: 'Speed', value: i });
    expect(taken).toHaveLength(32);
    expect(refused).toEqual(['other']);
    await clock.advance(1000);
    send({ name: 'Speed', value: 1 });
    expect(taken).toHaveLength(33);
  });
});
