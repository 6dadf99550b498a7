import { describe, expect, it } from 'vitest';
import { agentConfig } from '../config.ts';
import { simulated } from '../drivers/simulated/index.ts';
import { deviceMetrics } from './device-metrics.ts';

const tags = [
  { metric: 'Word', shape: 'counter', publish: false },
  { metric: 'Count/Total', shape: 'counter' },
  { metric: 'Door', shape: 'switch' },
];

/** The problems of an agent's configuration whose device has these derived tags, as `path: message`. */
function problems(derived: readonly unknown[], more: readonly unknown[] = []): readonly string[] {
  const connection = { id: 'demo', driver: 'simulated', devices: [{ id: 'press', tags: [...tags, ...more], derived }] };
  const result = agentConfig.safeParse({ group: 'g', edge: 'e', mqtt: { url: 'mqtt://127.0.0.1' }, connections: [connection] });
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('derived tags in a configuration', () => {
  it('may be what they should be', () => {
    const derived = [
      { metric: 'State', expression: 'lookup(Word % 3)', map: { 0: 'idle', 1: 'running', 2: 'fault' }, dataType: 'String' },
      { metric: 'Count/Good', expression: 'tag("Count/Total") - count(Door)', dataType: 'UInt32', publish: false },
      { metric: 'Share', expression: 'tag("Count/Good") / tag("Count/Total")', dataType: 'Double', deadband: 0.01, unitName: '%' },
    ];
    expect(problems(derived)).toEqual([]);
    const { devices } = simulated.config.parse({ id: 'demo', driver: 'simulated', devices: [{ id: 'press', tags, derived }] });
    const metrics = devices.flatMap((device) => deviceMetrics(simulated, device));
    expect(metrics.map(({ name, dataType }) => [name, dataType])).toEqual([
      ['Count/Total', 'Int64'],
      ['Door', 'Boolean'],
      ['State', 'String'],
      ['Share', 'Double'],
    ]);
  });

  it('are refused with their place, all at once', () => {
    const derived = [
      { metric: 'A', expression: 'Wrod + 1', dataType: 'Double' },
      { metric: 'door', expression: 'Door', dataType: 'Boolean' },
      { metric: 'B', expression: 'Door', dataType: 'Int32' },
      { metric: 'C', expression: 'D', dataType: 'Int32' },
      { metric: 'D', expression: 'Word', dataType: 'Int32' },
    ];
    expect(problems(derived)).toEqual([
      'connections.0.devices.0.derived.0.expression: column 1: the device has no tag "Wrod" that a rule can read',
      'connections.0.devices.0.derived.1.metric: "door" is already a metric of the device (case does not count)',
      'connections.0.devices.0.derived.2.dataType: the expression gives a boolean, that is no Int32',
      'connections.0.devices.0.derived.3.expression: column 1: the device has no tag "D" that a rule can read',
    ]);
  });

  it('and tags have a swinging door only where there is a line to draw', () => {
    const door = (metric: string, shape: string) => problems([], [{ metric, shape, swingingDoor: 1 }]);
    expect(door('Level', 'sine')).toEqual([]);
    expect(door('Valve', 'switch')[0]).toContain('only numbers lie on a line');
    expect(door('Count/Good', 'counter')[0]).toContain('leave it out');
    expect(problems([], [{ metric: 'Level', shape: 'sine', swingingDoor: 1, deadband: 1 }])[0]).toContain(
      'give one of deadband, swingingDoor',
    );
    expect(problems([{ metric: 'X', expression: 'Word', dataType: 'Double', maxDelayMs: 500 }])[0]).toContain('without swingingDoor');
  });
});
