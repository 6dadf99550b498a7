import { quality, type Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reading, ReportRule } from '../driver.ts';
import { createReportFilter, type ReportFilter } from './report-by-exception.ts';

const at = (value: Value, timestampMs = 0, q: Reading['quality'] = quality.good, metric = 'Level'): Reading => ({
  metric,
  value,
  timestampMs,
  quality: q,
});

function filter(report?: ReportRule, name = 'Level'): ReportFilter {
  return createReportFilter([{ name, dataType: 'Double', report }]);
}

/** What is reported of a sequence of values that arrive a second apart. */
function reported(of: ReportFilter, values: readonly Value[], metric = 'Level'): readonly Value[] {
  return values.flatMap((value, i) => of.select([at(value, i * 1000, quality.good, metric)], i * 1000).map((reading) => reading.value));
}

describe('report by exception', () => {
  it('reports the first value and every change when there is no deadband', () => {
    expect(reported(filter(), [1, 1, 2, 2, 1, null, null, 'a', true, 5n, 5n, 6n])).toEqual([1, 2, 1, null, 'a', true, 5n, 6n]);
  });

  it('compares with the last reported value: a slow drift is not lost', () => {
    expect(reported(filter({ deadband: 1 }), [0, 0.9, 1, 1.1, 1.9, 2.2])).toEqual([0, 1.1, 2.2]);
    expect(reported(filter({ deadbandPercent: 10 }), [100, 109, 110, 111, 121, 123])).toEqual([100, 111, 123]);
    expect(reported(filter({ deadbandPercent: 10 }), [0, 0, 0.001])).toEqual([0, 0.001]);
  });

  it('sees changes of 64-bit integers that look equal as numbers', () => {
    const large = 9_007_199_254_740_993n;
    expect(reported(filter(), [large, large, large + 1n])).toEqual([large, large + 1n]);
    expect(reported(filter({ deadband: 5 }), [large, large + 5n, large + 6n])).toEqual([large, large + 6n]);
  });

  it.each(['State', 'Mode', 'Count/Good', 'Job/Lot', 'Alarm/Door', 'Energy/Import'])('never thins out %s', (metric) => {
    expect(reported(filter({ deadband: 100 }, metric), [1, 2, 3, 3], metric)).toEqual([1, 2, 3]);
  });

  it('reports a change of quality, and an unchanged value after the heartbeat with its new time', () => {
    const of = filter({ deadband: 10, heartbeatMs: 5000 });
    expect(of.select([at(1, 0)], 0).length).toBe(1);
    expect(of.select([at(1, 1000, quality.stale)], 1000).length).toBe(1);
    expect(of.select([at(1, 2000)], 2000).length).toBe(1);
    expect(of.select([at(1, 6999)], 6999).length).toBe(0);
    expect(of.select([at(1, 7000)], 7000)).toEqual([at(1, 7000)]);
    expect(of.select([at(1, 7001)], 7001).length).toBe(0);
  });

  it('repeats the newest reading of a silent source, in the time of the source', () => {
    const of = filter({ deadband: 10 });
    // The source's clock is an hour behind.
    of.select([at(1, -3_600_000)], 0);
    of.select([at(3, -3_590_000)], 10_000);
    expect(of.due(59_999)).toEqual([]);
    expect(of.due(60_000)).toEqual([at(3, -3_540_000)]);
    expect(of.due(60_001)).toEqual([]);
    expect(of.due(120_000)).toEqual([at(3, -3_480_000)]);
  });

  it('lets through what a source kept from before, and compares with what is current all the same', () => {
    const of = filter({ deadband: 10 });
    of.select([at(1, 5_000)], 5_000);
    const past = { ...at(50, 1_000), isHistorical: true };
    expect(of.select([past, at(2, 6_000)], 6_000)).toEqual([past]);
    expect(of.due(65_000)).toEqual([at(2, 65_000)]);
  });

  it('reports everything again after a reset', () => {
    const of = filter();
    expect(reported(of, [1, 1])).toEqual([1]);
    of.reset();
    expect(of.due(1e9)).toEqual([]);
    expect(reported(of, [1, 1])).toEqual([1]);
  });

  it('lets a reader know the value within the deadband at any time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true })),
        fc.double({ min: 0, max: 1000, noNaN: true }),
        (values, deadband) => {
          const of = filter({ deadband });
          let known = 0;
          values.forEach((value, i) => {
            const [report] = of.select([at(value, i)], i);
            if (report !== undefined) known = report.value as number;
            expect(Math.abs(known - value)).toBeLessThanOrEqual(deadband);
          });
        },
      ),
    );
  });
});
