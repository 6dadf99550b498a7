import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality, type Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DriverPlugin, Reading } from '../driver.ts';
import { recordingSink, scriptedPlugin } from '../testing/scripted-driver.ts';
import { createConnectionHost } from './connection-host.ts';
import { createDeviceTracker } from './device-tracker.ts';
import { createReportFilter, type ReportFilter } from './report-by-exception.ts';

const at = (value: Value, timestampMs: number, q: Reading['quality'] = quality.good): Reading => ({
  metric: 'Level',
  value,
  timestampMs,
  quality: q,
});
const filterOf = (swingingDoor: number, maxDelayMs = 1e12, heartbeatMs = 1e12): ReportFilter =>
  createReportFilter([{ name: 'Level', dataType: 'Double', report: { swingingDoor, maxDelayMs, heartbeatMs } }]);
const times = (readings: readonly Reading[]): readonly number[] => readings.map(({ timestampMs }) => timestampMs);

/** Takes one sample a second; what was reported, with what was held at the end. */
function through(filter: ReportFilter, values: readonly Value[]): readonly Reading[] {
  return [...values.flatMap((value, i) => filter.select([at(value, i * 1000)], i * 1000)), ...filter.release()];
}

describe('a swinging door', () => {
  it('draws a ramp, a corner and a plateau with their ends', () => {
    const values = [0, 10, 20, 30, 40, 40, 40, 40, 40];
    expect(through(filterOf(1), values).map(({ value, timestampMs }) => [timestampMs / 1000, value])).toEqual([
      [0, 0],
      [1, 10],
      [4, 40],
      [8, 40],
    ]);
  });

  it('reports a jump at once, with the corner before it', () => {
    const filter = filterOf(1);
    through(filter, [5]);
    expect(filter.select([at(5, 1000)], 1000)).toEqual([]);
    expect(filter.select([at(5.5, 2000)], 2000)).toEqual([]);
    expect(filter.select([at(50, 3000)], 3000)).toEqual([at(5.5, 2000), at(50, 3000)]);
  });

  it('lets nobody see a value that is off by more than the deviation for longer than maxDelayMs', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { maxLength: 200 }), (steps) => {
        const filter = filterOf(1, 5000);
        let shown = 0;
        let offSince: number | undefined;
        let value = 0;
        [0, ...steps].forEach((step, i) => {
          value += step;
          for (const reading of filter.select([at(value, i * 1000)], i * 1000)) shown = reading.value as number;
          for (const reading of filter.overdue(i * 1000)) shown = reading.value as number;
          if (Math.abs(shown - value) <= 1) offSince = undefined;
          else offSince ??= i * 1000;
          expect(i * 1000 - (offSince ?? i * 1000)).toBeLessThan(5000);
        });
      }),
    );
  });

  it('reports what it holds when a source falls silent, when the quality changes and with the heartbeat', () => {
    const filter = filterOf(1, 1e12, 10_000);
    through(filter, [1]);
    expect(filter.select([at(1, 1000), at(1.5, 2000)], 2000)).toEqual([]);
    expect(filter.select([at(1.5, 3000, quality.stale)], 3000)).toEqual([at(1.5, 2000), at(1.5, 3000, quality.stale)]);
    expect(filter.select([at(1.5, 4000, quality.stale)], 4000)).toEqual([]);
    expect(filter.select([at(1.5, 5000)], 5000)).toEqual([at(1.5, 5000)]);
    expect(filter.select([at(1.6, 6000)], 6000)).toEqual([]);
    expect(filter.select([at(null, 7000, quality.bad)], 7000)).toEqual([at(1.6, 6000), at(null, 7000, quality.bad)]);
    expect(filter.select([at(2, 8000)], 8000)).toEqual([at(2, 8000)]);
    expect(filter.select([at(2, 9000)], 9000)).toEqual([]);
    expect(filter.select([at(2, 18_000)], 18_000)).toEqual([at(2, 18_000)]);
    expect(filter.select([at(2.1, 19_000)], 19_000)).toEqual([]);
    expect(times(filter.due(28_000))).toEqual([19_000, 28_000]);
  });

  it.each(['Count/Good', 'State', 'Alarm/Door'])('never holds back %s', (name) => {
    const filter = createReportFilter([{ name, dataType: 'Int32', report: { swingingDoor: 100 } }]);
    expect([1, 2, 3].flatMap((value, i) => filter.select([{ ...at(value, i), metric: name }], i)).length).toBe(3);
  });

  it('takes a percentage of the range for the deadband when there is one', () => {
    const filter = createReportFilter([{ name: 'Level', dataType: 'Double', report: { deadbandPercent: 1, range: [0, 400] } }]);
    expect([100, 103, 104, 105].flatMap((value, i) => filter.select([at(value, i)], i)).map(({ value }) => value)).toEqual([100, 105]);
  });
});

type Event =
  | {
      readonly type: 'sample';
      readonly value: number;
      readonly stepMs: number;
      readonly waitMs: number;
      readonly quality: Reading['quality'];
    }
  | { readonly type: 'silence' | 'beat' };

describe('the error of a swinging door', () => {
  const smooth = fc.integer({ min: -20, max: 20 }).map((n) => n / 10);
  const value = fc.oneof(
    { weight: 8, arbitrary: smooth },
    { weight: 1, arbitrary: fc.double() },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, Number.POSITIVE_INFINITY) },
  );
  const sample: fc.Arbitrary<Event> = fc.record({
    type: fc.constant('sample' as const),
    value,
    // Equal, out of order, and gaps.
    stepMs: fc.oneof({ weight: 8, arbitrary: fc.constant(1000) }, { weight: 2, arbitrary: fc.integer({ min: -3000, max: 100_000 }) }),
    waitMs: fc.oneof({ weight: 8, arbitrary: fc.constant(1000) }, fc.nat(40_000)),
    quality: fc.oneof({ weight: 20, arbitrary: fc.constant(quality.good) }, fc.constantFrom(quality.bad, quality.stale)),
  });
  const event = fc.oneof(
    { weight: 20, arbitrary: sample },
    { weight: 1, arbitrary: fc.constantFrom({ type: 'silence' as const }, { type: 'beat' as const }) },
  );

  it('is never above the deviation, whatever the source does', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), fc.constantFrom(0.05, 0.5, 1, 3), fc.boolean(), (events, deviation, drifts) => {
        const filter = filterOf(deviation, 15_000, 30_000);
        /** Samples and reports in their order: the samples that are not reported lie between two reports. */
        let pending: Reading[] = [];
        let last: Reading | undefined;
        let nowMs = 0;
        let timeMs = 0;
        let level = 0;
        const report = (readings: readonly Reading[]): void => {
          for (const next of readings) {
            const upTo = pending.indexOf(next);
            const between = upTo < 0 ? pending : pending.slice(0, upTo);
            pending = upTo < 0 ? [] : pending.slice(upTo + 1);
            for (const hidden of between) expectOnLine(last, hidden, next, deviation);
            last = next;
          }
        };
        for (const each of events) {
          if (each.type === 'sample') {
            nowMs += each.waitMs;
            timeMs += each.stepMs;
            level = drifts && Number.isFinite(level + each.value) ? level + each.value : each.value;
            const reading = at(Number.isFinite(each.value) ? level : each.value, timeMs, each.quality);
            pending.push(reading);
            report(filter.select([reading], nowMs));
            report(filter.overdue(nowMs));
          } else if (each.type === 'beat') {
            nowMs += 31_000;
            timeMs += 31_000;
            report(filter.due(nowMs));
          } else {
            report(filter.release());
            expect(pending.every((hidden) => isSame(hidden, last))).toBe(true);
            pending = [];
            last = undefined;
            filter.reset();
          }
        }
        report(filter.release());
        expect(pending.every((hidden) => isSame(hidden, last))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

/** A value that no line goes through and that was told before. */
function isSame(hidden: Reading, last: Reading | undefined): boolean {
  return hidden.quality === last?.quality && Object.is(hidden.value, last.value);
}

function expectOnLine(last: Reading | undefined, hidden: Reading, next: Reading, deviation: number): void {
  if (last !== undefined && isSame(hidden, last) && (hidden.quality !== quality.good || !Number.isFinite(hidden.value))) return;
  expect(last, 'something is hidden before the first report').toBeDefined();
  const [v0, v1, v] = [last?.value, next.value, hidden.value].map(Number) as [number, number, number];
  const [t0, t1, t] = [last?.timestampMs ?? 0, next.timestampMs, hidden.timestampMs];
  expect(hidden.quality).toBe(quality.good);
  expect(t).toBeGreaterThan(t0);
  expect(t).toBeLessThan(t1);
  const line = v0 + ((v1 - v0) * (t - t0)) / (t1 - t0);
  const rounding = 1e-12 * Math.max(Math.abs(v0), Math.abs(v1), Math.abs(v), deviation);
  expect(Math.abs(line - v)).toBeLessThanOrEqual(deviation + rounding);
}

describe('a device with a swinging door', () => {
  it('reports what it holds when it goes offline and when the host stops', () => {
    const clock = createSimClock(0);
    const sink = recordingSink(() => clock.monotonic());
    const metrics = [{ name: 'Level', dataType: 'Double' as const, report: { swingingDoor: 1 } }];
    const deps = { clock, log: silentLog(), random: () => 0 };
    const tracker = createDeviceTracker({ id: 'a', intervalMs: 1000 }, metrics, sink, deps);
    expect(tracker.holds).toBe(true);
    tracker.answered([at(1, 0)]);
    tracker.answered([at(1.1, 1000)]);
    tracker.answered([at(1.2, 2000)]);
    tracker.unreachable('no answer');
    tracker.answered([at(5, 9000)]);
    tracker.answered([at(5.1, 10_000)]);
    tracker.close();
    expect(sink.lines.map((line) => line.slice(2))).toEqual([
      'a online',
      'a Level=1',
      'a Level=1.2',
      'a offline: no answer',
      'a online',
      'a Level=5',
      'a Level=5.1',
    ]);
  });

  it('lets go of what it has held for too long, also when it is polled rarely', async () => {
    const clock = createSimClock(0);
    const sink = recordingSink(() => clock.monotonic());
    let value = 0;
    const step = (): number => {
      value += 3;
      return value;
    };
    const { plugin } = scriptedPlugin({ read: async () => [at(step(), clock.monotonic())] });
    const drifting: DriverPlugin = {
      ...plugin,
      metrics: () => [{ name: 'Level', dataType: 'Double', report: { swingingDoor: 1, maxDelayMs: 2000 } }],
    };
    const deps = { clock, random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' };
    const host = createConnectionHost(drifting, { id: 'line', driver: 'scripted', devices: [{ id: 'a', intervalMs: 30_000 }] }, sink, deps);
    host.start();
    await clock.advance(95_000);
    expect(sink.lines).toEqual(['0 a online', '0 a Level=3', '30000 a Level=6', '62000 a Level=9', '92000 a Level=12']);
    await host.stop();
  });
});
