import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Amounts, amountsOf, checkHistory, earlierSeriesKeys, robustDeviation } from './check-history.ts';
import { periodAt } from './period.ts';
import type { Duration, ReportContent } from './report.ts';
import { exampleContent } from './testing/example-report.ts';

const [row] = exampleContent.production.output as [(typeof exampleContent.production.output)[0]];

/** The example with this much produced, and nothing else that is compared but the running seconds. */
function producing(produced: number, more: Partial<ReportContent> = {}): ReportContent {
  return { ...exampleContent, energy: [], production: { output: [{ ...row, produced: String(produced) }] }, ...more };
}

const earlier = (values: readonly number[]): Amounts[] => values.map((value) => amountsOf(producing(value)));
const isUnusual = (value: number, values: readonly number[], more: Partial<ReportContent> = {}): boolean =>
  checkHistory(producing(value, more), earlier(values)).some(({ pointer }) => pointer === '/production/output/0/produced');
const repeated = (value: number, times: number): number[] => Array.from({ length: times }, () => value);

describe('the robust deviation', () => {
  const values = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 30 });

  it('follows unit and origin, never the order', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 1000 }), (given, shift, factor) => {
        const moved = given.map((each) => each * factor + shift).reverse();
        expect(robustDeviation(moved)).toBeCloseTo(factor * robustDeviation(given), 3);
        expect(robustDeviation(given)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('stays within the sound values, however wild less than half of them are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 900, max: 1100 }), { minLength: 5, maxLength: 15 }),
        fc.array(fc.integer({ min: -1e9, max: 1e9 }), { maxLength: 4 }),
        (sound, wild) => {
          expect(robustDeviation([...sound, ...wild])).toBeLessThanOrEqual(1.4826 * 200);
        },
      ),
    );
  });

  it('is the standard deviation of normal values, and nothing for one value or the same ones', () => {
    // Quantiles of the standard normal at 1/8 … 7/8: median 0, absolute deviations 0, .319, .319, .674, .674, 1.15, 1.15.
    const normal = [-1.15, -0.674, -0.319, 0, 0.319, 0.674, 1.15];
    expect(robustDeviation(normal)).toBeCloseTo(1, 2);
    expect([robustDeviation([7]), robustDeviation([7, 7, 7])]).toEqual([0, 0]);
  });
});

describe('W201', () => {
  it('says exactly what lies beyond five deviations, whatever the history', () => {
    const history = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 8, maxLength: 26 });
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 300_000 }), (values, value) => {
        const sorted = values.toSorted((a, b) => a - b);
        const middle = ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
        const allowed = 5 * Math.max(robustDeviation(values), middle / 100);
        expect(isUnusual(value, values)).toBe(Math.abs(value - middle) > allowed);
        expect(isUnusual(middle, values)).toBe(false);
      }),
    );
  });

  it('needs eight earlier periods in which the amount occurs', () => {
    expect(isUnusual(9000, repeated(1000, 8))).toBe(true);
    expect(isUnusual(9000, repeated(1000, 7))).toBe(false);
    expect(checkHistory(producing(9000), [...earlier(repeated(1000, 7)), { running: 777_600 }])).toEqual([]);
  });

  it('leaves five hundredths around a level that never moved, and says nothing about one that was always zero', () => {
    expect([1050, 950, 1051, 949].map((value) => isUnusual(value, repeated(1000, 10)))).toEqual([false, false, true, true]);
    expect(isUnusual(5000, repeated(0, 26))).toBe(false);
  });

  it('allows for what the policy rounded away', () => {
    const flags = [{ path: '/production/output/0/produced', obsStatus: 'A', note: 'bucketed', width: '1000' } as const];
    expect(isUnusual(2000, repeated(1000, 10))).toBe(true);
    expect(isUnusual(2000, repeated(1000, 10), { quality: { flags } })).toBe(false);
    expect(isUnusual(4000, repeated(1000, 10), { quality: { flags } })).toBe(true);
  });

  it('adds rows of one product up, and has nothing against a withdrawal', () => {
    const twice = producing(0, {
      production: {
        output: [
          { ...row, produced: '400' },
          { ...row, produced: '600', origin: 'declared' },
        ],
      },
    });
    expect(checkHistory(twice, earlier(repeated(1000, 8)))).toEqual([]);
    expect(isUnusual(0, repeated(1000, 8), { status: 'withdrawn' })).toBe(false);
  });
});

describe('earlier periods', () => {
  const keysOf = (at: string, duration: Duration, dayStart?: string): readonly string[] => {
    const period = periodAt(Date.parse(at), duration, dayStart);
    return earlierSeriesKeys({ ...exampleContent, period }).map((key) => key.split('/')[2] ?? '');
  };

  it('are those of the same kind: weekdays with weekdays, Sundays with Sundays', () => {
    expect(keysOf('2026-03-01T12:00:00+07:00', 'P1D', '06:00').slice(0, 2)).toEqual([
      '2026-02-22T06:00:00+07:00',
      '2026-02-15T06:00:00+07:00',
    ]);
    expect(keysOf('2026-03-01T12:30:00+07:00', 'PT1H')[0]).toBe('2026-02-22T12:00:00+07:00');
    expect(keysOf('2026-03-04T00:00:00+07:00', 'P1W')[0]).toBe('2026-02-23T00:00:00+07:00');
    expect(keysOf('2026-03-31T00:00:00+07:00', 'P1M').slice(0, 2)).toEqual(['2026-02-01T00:00:00+07:00', '2026-01-01T00:00:00+07:00']);
  });

  it('are 26 different ones of the own establishment, all before the report', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Duration>('PT1H', 'P1D', 'P1W', 'P1M'),
        fc.integer({ min: Date.parse('2026-01-01T00:00:00Z'), max: Date.parse('2040-01-01T00:00:00Z') }),
        (duration, atMs) => {
          const period = periodAt(atMs, duration);
          const keys = earlierSeriesKeys({ ...exampleContent, period });
          expect(new Set(keys).size).toBe(26);
          for (const key of keys) {
            const [enterprise, establishment, from = '', length] = key.split('/');
            expect([enterprise, establishment, length]).toEqual([
              exampleContent.reporter.enterpriseId,
              exampleContent.reporter.establishmentId,
              duration,
            ]);
            expect(Date.parse(from)).toBeLessThan(Date.parse(period.from));
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
