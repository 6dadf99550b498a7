import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality, type Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DerivedTag, DeviceConfig, MetricDefinition, Reading } from '../driver.ts';
import { createDeviceRules, type DeviceRules } from './device-rules.ts';
import { fitTo } from './fit.ts';
import { openRuleMemory } from './rule-memory.ts';

const metrics: readonly MetricDefinition[] = [
  { name: 'word', dataType: 'UInt16', report: { publish: false } },
  { name: 'total', dataType: 'UInt16' },
  { name: 'reject', dataType: 'UInt16' },
  { name: 'door', dataType: 'Boolean' },
];
const device = (...derived: DerivedTag[]): DeviceConfig => ({ id: 'press', intervalMs: 1000, derived });
const at = (metric: string, value: Value, timestampMs = 0, q: Reading['quality'] = quality.good): Reading => ({
  metric,
  value,
  timestampMs,
  quality: q,
});
const state: DerivedTag = { metric: 'State', expression: 'word == 3 ? "running" : "idle"', dataType: 'String' };
const good: DerivedTag = { metric: 'Count/Good', expression: 'total - reject', dataType: 'UInt32' };
const cycles: DerivedTag = { metric: 'Count/Cycles', expression: 'count(door)', dataType: 'UInt32' };
const only = (readings: readonly Reading[], metric: string): readonly Value[] =>
  readings.filter((reading) => reading.metric === metric).map(({ value }) => value);

describe('the rules of a device', () => {
  it('add their results to what was read, and keep back what is for rules only', () => {
    const rules = createDeviceRules(device(state), metrics);
    expect(rules.apply([at('word', 3, 7), at('total', 1, 7)])).toEqual([at('total', 1, 7), at('State', 'running', 7)]);
    expect(rules.apply([at('total', 2, 8)])).toEqual([at('total', 2, 8)]);
  });

  it('wait for every input, take the newest time and the worst quality', () => {
    const rules = createDeviceRules(device(good), metrics);
    expect(only(rules.apply([at('total', 10, 5)]), 'Count/Good')).toEqual([]);
    expect(rules.apply([at('reject', 1, 3)]).at(-1)).toEqual(at('Count/Good', 9, 5));
    expect(rules.apply([at('reject', 2, 9, quality.stale)]).at(-1)).toEqual(at('Count/Good', 8, 9, quality.stale));
    expect(rules.apply([at('reject', null, 10, quality.bad)]).at(-1)).toEqual(at('Count/Good', null, 10, quality.bad));
    expect(rules.apply([at('reject', 'three', 11)]).at(-1)).toEqual(at('Count/Good', null, 11, quality.bad));
    expect(rules.apply([at('reject', 11, 12)]).at(-1)).toEqual(at('Count/Good', null, 12, quality.bad));
    rules.forget();
    expect(rules.apply([at('reject', 1, 13)])).toEqual([at('reject', 1, 13)]);
  });

  it('take a step for every reading of a source that delivers several at once, and none for history', () => {
    const rules = createDeviceRules(device(cycles), metrics);
    const values = [false, true, false, true].map((value, i) => at('door', value, i));
    expect(only(rules.apply(values), 'Count/Cycles')).toEqual([0, 1, 1, 2]);
    const past = [false, true].map((value, i) => ({ ...at('door', value, i), isHistorical: true }));
    expect(rules.apply(past)).toEqual(past);
    expect(only(rules.apply([at('door', true, 9)]), 'Count/Cycles')).toEqual([2]);
  });

  it('may read those above them', () => {
    const busy: DerivedTag = { metric: 'busy', expression: 'State == "running"', dataType: 'Boolean', publish: false };
    const starts: DerivedTag = { metric: 'Count/Starts', expression: 'count(busy)', dataType: 'UInt32' };
    const rules = createDeviceRules(device(state, busy, starts), metrics);
    const out = [1, 3, 3, 1, 3].flatMap((word, i) => rules.apply([at('word', word, i)]));
    expect(only(out, 'busy')).toEqual([]);
    expect(only(out, 'Count/Starts')).toEqual([0, 1, 1, 1, 2]);
  });

  it('give only what fits their type', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.bigInt(), fc.boolean(), fc.string()),
        fc.constantFrom('Int8', 'UInt8', 'Int32', 'UInt64', 'Float', 'Double', 'Boolean', 'String', 'DateTime'),
        (value, type) => {
          const fitted = fitTo(type, value);
          if (type === 'Boolean' || type === 'String') expect([type.toLowerCase(), 'undefined']).toContain(typeof fitted);
          else if (fitted !== undefined) expect(['number', 'bigint']).toContain(typeof fitted);
        },
      ),
    );
    expect(fitTo('UInt8', 256)).toBeUndefined();
    expect(fitTo('Int32', 1.5)).toBeUndefined();
    expect(fitTo('Float', 1e300)).toBeUndefined();
    expect(fitTo('UInt64', 2n ** 64n - 1n)).toBe(2n ** 64n - 1n);
  });
});

describe('sums of a rule', () => {
  const made: DerivedTag = { metric: 'Count/Total', expression: 'total(total, 65536)', dataType: 'UInt32' };

  /** A life of the agent: what it reported, in order. */
  async function life(
    disk: ReturnType<typeof createSimDisk>,
    work: (rules: DeviceRules, clock: ReturnType<typeof createSimClock>) => Promise<void>,
    isKilled = false,
  ) {
    const clock = createSimClock();
    const memory = await openRuleMemory({ clock, disk: disk.boot() }, 'rules', silentLog());
    const reported: Reading[] = [];
    const inner = createDeviceRules(device(cycles, made), metrics, memory, (late) => reported.push(...late));
    const rules: DeviceRules = {
      ...inner,
      apply: (readings) => {
        const out = inner.apply(readings);
        reported.push(...out);
        return out;
      },
    };
    await work(rules, clock);
    if (!isKilled) {
      rules.close();
      await memory.close();
    }
    return reported;
  }
  const door = (rules: DeviceRules, ...values: readonly boolean[]): void => {
    for (const value of values) rules.apply([at('door', value)]);
  };

  it('are shown once they are on disk, and go on after a restart', async () => {
    const disk = createSimDisk();
    const first = await life(disk, async (rules, clock) => {
      door(rules, false, true, false, true);
      await clock.advance(6_000);
      door(rules, false, true);
      rules.apply([at('total', 65_530)]);
    });
    expect(only(first, 'Count/Cycles')).toEqual([0, 0, 0, 0, 2, 2, 2]);
    const second = await life(disk, async (rules) => {
      door(rules, true, false);
      rules.apply([at('total', 4)]);
    });
    expect(only(second, 'Count/Cycles')).toEqual([3, 3]);
  });

  it('never go back, wherever the agent is killed, and total() catches up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(60), fc.boolean(), fc.nat(4_000)), { maxLength: 40 }),
        fc.nat(39),
        async (polls, killAt) => {
          const disk = createSimDisk();
          let raw = 0;
          let real = 0;
          const poll = (part: typeof polls) => async (rules: DeviceRules, clock: ReturnType<typeof createSimClock>) => {
            for (const [pieces, isOpen, pauseMs] of part) {
              rules.apply([at('total', raw), at('door', isOpen)]);
              await clock.advance(pauseMs);
              raw = (raw + pieces) % 65_536;
              real += pieces;
            }
          };
          const before = await life(disk, poll(polls.slice(0, killAt)), true);
          disk.crash(createSimRandom(killAt));
          const after = await life(disk, async (rules, clock) => {
            await poll(polls.slice(killAt))(rules, clock);
            rules.apply([at('total', raw)]);
            await clock.advance(10_000);
          });
          for (const metric of ['Count/Cycles', 'Count/Total']) {
            const shown = only([...before, ...after], metric).map(Number);
            expect(shown).toEqual([...shown].sort((a, b) => a - b));
          }
          const wasKept = only(before, 'Count/Total').some((value) => Number(value) > 0);
          // What was never kept begins at 0; the PLC's own counter tells the rest.
          if (killAt === 0 || wasKept) expect(Number(only(after, 'Count/Total').at(-1))).toBe(real);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begin at 0 when the file is damaged or the expression is another one', async () => {
    const disk = createSimDisk();
    const count = (rules: DeviceRules, clock: ReturnType<typeof createSimClock>) => {
      door(rules, false, true);
      return clock.advance(6_000);
    };
    await life(disk, count);
    const file = await disk.boot().open('rules/memory.json', 'write');
    await file.write(new Uint8Array([1, 2, 3]), 0);
    await file.sync();
    expect(only(await life(disk, count), 'Count/Cycles').at(-1)).toBe(1);
  });
});
