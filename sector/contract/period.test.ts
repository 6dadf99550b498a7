import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkCodes } from './check-codes.ts';
import { codeDate, isAligned, periodAt, periodSeconds } from './period.ts';
import type { Duration, ReportContent } from './report.ts';
import { exampleContent } from './testing/example-report.ts';

const at = (text: string): number => Date.parse(text);

describe('periods', () => {
  it.each<[string, Duration, string, string, string]>([
    ['2026-03-01T05:59:59+07:00', 'P1D', '06:00', '2026-02-28T06:00:00+07:00', '2026-03-01T06:00:00+07:00'],
    ['2026-03-01T06:00:00+07:00', 'P1D', '06:00', '2026-03-01T06:00:00+07:00', '2026-03-02T06:00:00+07:00'],
    ['2026-03-01T10:29:00+07:00', 'PT1H', '06:30', '2026-03-01T09:30:00+07:00', '2026-03-01T10:30:00+07:00'],
    ['2026-03-01T10:29:00+07:00', 'PT1H', '06:00', '2026-03-01T10:00:00+07:00', '2026-03-01T11:00:00+07:00'],
    ['2026-03-01T23:00:00+07:00', 'P1W', '00:00', '2026-02-23T00:00:00+07:00', '2026-03-02T00:00:00+07:00'],
    ['2026-03-01T03:00:00+07:00', 'P1M', '06:00', '2026-02-01T06:00:00+07:00', '2026-03-01T06:00:00+07:00'],
    ['2025-12-31T23:59:00+07:00', 'P1M', '00:00', '2025-12-01T00:00:00+07:00', '2026-01-01T00:00:00+07:00'],
  ])('%s is in the %s from %s', (moment, duration, dayStart, from, to) => {
    expect(periodAt(at(moment), duration, dayStart)).toMatchObject({ from, to });
  });

  it('cover time without a gap, and are aligned', () => {
    const durations = fc.constantFrom<Duration>('PT1H', 'P1D', 'P1W', 'P1M');
    const starts = fc.constantFrom('00:00', '05:30', '06:00', '22:00');
    fc.assert(
      fc.property(fc.integer({ min: at('2020-01-01'), max: at('2035-01-01') }), durations, starts, (moment, duration, dayStart) => {
        const period = periodAt(moment, duration, dayStart);
        expect(at(period.from)).toBeLessThanOrEqual(moment);
        expect(at(period.to)).toBeGreaterThan(moment);
        expect(isAligned(period)).toBe(true);
        expect(periodAt(at(period.to), duration, dayStart).from).toBe(period.to);
        expect(isAligned({ ...period, to: period.from })).toBe(false);
      }),
    );
  });

  it('have 28 to 31 days in a month', () => {
    expect(periodSeconds(periodAt(at('2026-02-10T00:00:00+07:00'), 'P1M'))).toBe(28 * 86_400);
    expect(periodSeconds(periodAt(at('2028-02-10T00:00:00+07:00'), 'P1M'))).toBe(29 * 86_400);
  });
});

/** Codes of findings of a report on a day with a province and an industry. */
function codesOn(day: string, part: Partial<ReportContent>, duration: Duration = 'P1D', dayStart = '00:00'): string[] {
  const period = periodAt(at(`${day}T12:00:00+07:00`), duration, dayStart);
  return checkCodes({ ...exampleContent, activity: { scheme: 'VSIC2018', code: '1410' }, ...part, period }).map(
    ({ code, pointer }) => `${code} ${pointer}`,
  );
}

const reporter = exampleContent.reporter;
const before = { reporter: { ...reporter, provinceScheme: 'VN-ADM-2004', provinceCode: '74' } } as const;
const after = { reporter: { ...reporter, provinceScheme: 'VN-ADM-2025', provinceCode: '79' } } as const;
const wrong = ['E108 /reporter/provinceCode'];

describe('a change of codes', () => {
  it('of provinces on 1 July 2025: each day has its own list, and a period that of its last moment', () => {
    expect(codeDate(periodAt(at('2025-06-30T12:00:00+07:00'), 'P1D'))).toBe('2025-06-30');
    expect(codesOn('2025-06-30', before)).toEqual([]);
    expect(codesOn('2025-06-30', after)).toEqual(wrong);
    expect(codesOn('2025-07-01', before)).toEqual(wrong);
    expect(codesOn('2025-07-01', after)).toEqual([]);
    // A week over both days, and a production day that ends at six on 1 July.
    expect(codesOn('2025-06-30', after, 'P1W')).toEqual([]);
    expect(codesOn('2025-06-30', before, 'P1W')).toEqual(wrong);
    expect(codesOn('2025-06-30', after, 'P1D', '06:00')).toEqual([]);
    expect(codesOn('2025-06-29', before, 'P1D', '06:00')).toEqual([]);
  });

  it('says what a closed province became', () => {
    const period = periodAt(at('2026-03-01T12:00:00+07:00'), 'P1D');
    const [found] = checkCodes({ ...exampleContent, ...before, period });
    expect(found?.message.en).toMatch(/use VN-ADM-2025 79/);
  });

  it('of industries on 15 November 2025: the old scheme stays right for older periods', () => {
    const old = { ...after, activity: { scheme: 'VSIC2018', code: '1410' } } as const;
    const new_ = { ...after, activity: { scheme: 'VSIC2025', code: '1410' } } as const;
    expect(codesOn('2025-11-14', old)).toEqual([]);
    expect(codesOn('2025-11-14', new_)).toEqual(['E108 /activity/code']);
    expect(codesOn('2025-11-15', new_)).toEqual([]);
    expect(codesOn('2025-11-15', old)).toEqual(['E108 /activity/code']);
    expect(codesOn('2025-11-15', { ...new_, reporter: before.reporter })).toEqual(wrong);
  });
});
