import { describe, expect, it } from 'vitest';
import { judge } from './checker.ts';
import type { Evidence, LossRow, ServedValue, StoredValue } from './evidence.ts';

const edge = 'g/e';
const series = 'g/e/d A';

function served(count: number, from = 0): readonly ServedValue[] {
  return Array.from({ length: count }, (_, i) => ({ series, value: from + i, atMs: 1000 + 100 * (from + i) }));
}

function stored(values: readonly ServedValue[]): readonly StoredValue[] {
  return values.map(({ series: of, value, atMs }) => ({ series: of, value, timestampMs: atMs, quality: 192 }));
}

function loss(samples: number, fields: Partial<LossRow> = {}): LossRow {
  const place = { edge, machine: 'g/e/d', metric: 'A', stream: '', seqFrom: 0, seqTo: 0 };
  return { ...place, reason: 'outboxQuota', samples, fromMs: 1000, toMs: 2000, ...fields };
}

function run(fields: Partial<Evidence>): ReturnType<typeof judge> {
  return judge({ served: [], stored: [], losses: [], deadLetters: [], crashWindows: [], maxClockErrorMs: 0, ...fields });
}

/** The check that a run violates; one of them only. */
function violated(fields: Partial<Evidence>): string {
  const { violations } = run(fields);
  expect(violations).toHaveLength(1);
  return violations[0]?.slice(0, 2) ?? '';
}

const ten = served(10);

describe('the checker', () => {
  it('finds nothing when everything is stored once', () => {
    expect(run({ served: ten, stored: stored(ten) })).toEqual({
      served: 10,
      stored: 10,
      lost: 0,
      doubled: 0,
      invented: 0,
      inCrashWindow: 0,
      countedAsLost: 0,
      deadLettered: 0,
      violations: [],
    });
  });

  it('C1: finds what was never served, and values that changed', () => {
    expect(violated({ served: ten, stored: [...stored(ten), { series, value: 11, timestampMs: 1, quality: 192 }] })).toBe('C1');
    expect(violated({ served: ten, stored: [...stored(ten), { series: 'g/e/d B', value: 1, timestampMs: 1, quality: 192 }] })).toBe('C1');
  });

  it('C2: finds what is stored twice', () => {
    const verdict = run({ served: ten, stored: [...stored(ten), ...stored(ten.slice(3, 5))] });
    expect(verdict).toMatchObject({ doubled: 2, violations: [expect.stringMatching(/^C2 /)] });
  });

  it('C3: finds what is missing without a trace, and counts with what is counted', () => {
    expect(violated({ served: ten, stored: stored(ten.slice(1)) })).toBe('C3');
    expect(run({ served: ten, stored: stored(ten.slice(2)), losses: [loss(2)] })).toMatchObject({
      countedAsLost: 2,
      lost: 0,
      violations: [],
    });
    expect(run({ served: ten, stored: stored(ten.slice(3)), losses: [loss(2)] })).toMatchObject({ lost: 1 });
  });

  it('C3: finds what is counted as lost but stored', () => {
    expect(run({ served: ten, stored: stored(ten), losses: [loss(1)] }).violations[0]).toMatch(/^C3 counted/);
    expect(run({ served: ten, stored: stored(ten.slice(2)), losses: [loss(3)] }).violations[0]).toMatch(/^C3 counted/);
    const other = loss(1, { machine: '', metric: '' });
    expect(violated({ served: ten, stored: stored(ten), losses: [other] })).toBe('C3');
  });

  it('C3: holds losses of unknown series against their edge, and only theirs', () => {
    const unknown = loss(2, { machine: '', metric: '' });
    expect(run({ served: ten, stored: stored(ten.slice(2)), losses: [unknown] }).violations).toEqual([]);
    expect(run({ served: ten, stored: stored(ten.slice(2)), losses: [{ ...unknown, edge: 'g/f' }] }).violations).toHaveLength(2);
  });

  it('C3: holds a report of which some samples had arrived against the edge, because whose they are is an estimate', () => {
    const other = { series: 'g/e/d B', value: 1, atMs: 1000 };
    const all = { served: [...ten, other], stored: stored(ten) };
    const estimate = loss(1, { stream: 's', seqFrom: 0, seqTo: 4 });
    expect(run({ ...all, losses: [estimate] }).violations).toEqual([]);
    expect(run({ ...all, losses: [{ ...estimate, seqTo: 1 }] }).violations).not.toEqual([]);
    expect(run({ ...all, losses: [estimate, { ...estimate, metric: 'C' }] }).violations).not.toEqual([]);
  });

  it('C3: finds a loss at the wrong time', () => {
    expect(violated({ served: ten, stored: stored(ten.slice(0, 9)), losses: [loss(1, { toMs: 1800 })] })).toBe('C3');
    expect(run({ served: ten, stored: stored(ten.slice(0, 9)), losses: [loss(1)] }).violations).toEqual([]);
  });

  it('C3: wants a kept letter for every dead letter that is counted, each once', () => {
    const losses = [loss(2, { reason: 'deadLettered' })];
    const letter = { reason: 'notANumber', samples: 1, source: 'log 7' };
    const run2 = (sources: readonly string[]) =>
      run({ served: ten, stored: stored(ten.slice(2)), losses, deadLetters: sources.map((source) => ({ ...letter, source })) });
    expect(run2(['log 7', 'log 8'])).toMatchObject({ deadLettered: 2, countedAsLost: 0, violations: [] });
    expect(run2(['log 7', 'log 7']).violations[0]).toMatch(/^C3 dead letters/);
  });

  it('C4: excuses what a crash cost in its window, up to its limit', () => {
    const window = { edge, fromMs: 1000, toMs: 1200, maxLost: 2 };
    expect(run({ served: ten, stored: stored(ten.slice(2)), crashWindows: [window] })).toMatchObject({ inCrashWindow: 2, violations: [] });
    expect(violated({ served: ten, stored: stored(ten.slice(3)), crashWindows: [window] })).toBe('C4');
    expect(violated({ served: ten, stored: stored(ten.slice(0, 9)), crashWindows: [window] })).toBe('C3');
    expect(violated({ served: ten, stored: stored(ten.slice(2)), crashWindows: [{ ...window, edge: 'g/f' }] })).toBe('C3');
  });

  it('C5: finds a watermark that is ahead or goes back', () => {
    const mark = { of: 'edge', atMs: 0, value: 5, safe: 5 };
    expect(run({ watermarks: [mark, { ...mark, value: 7, safe: 8 }] }).violations).toEqual([]);
    expect(violated({ watermarks: [{ ...mark, safe: 4 }] })).toBe('C5');
    expect(violated({ watermarks: [mark, { ...mark, value: 4 }] })).toBe('C5');
  });

  it('C6: finds what was deleted too early', () => {
    expect(run({ deletions: [{ of: 'outbox', atMs: 0, to: 5, safe: 5 }] }).violations).toEqual([]);
    expect(violated({ deletions: [{ of: 'outbox', atMs: 0, to: 6, safe: 5 }] })).toBe('C6');
  });

  it('C7: finds wrong times and wrong order', () => {
    const late = stored(ten).map((row) => (row.value === 4 ? { ...row, timestampMs: row.timestampMs + 50 } : row));
    expect(violated({ served: ten, stored: late })).toBe('C7');
    expect(run({ served: ten, stored: late, maxClockErrorMs: 50 }).violations).toEqual([]);
    const swapped = stored(ten).map((row) => ({ ...row, timestampMs: 1500 + (row.value === 3 ? -200 : 0) }));
    expect(run({ served: ten, stored: swapped, maxClockErrorMs: 600 }).violations).toEqual([]);
    const atOnce = ten.map((value) => ({ ...value, atMs: 1000 }));
    const ticks = (of: (value: number) => number) => stored(atOnce).map((row) => ({ ...row, tick: of(row.value) }));
    expect(run({ served: atOnce, stored: ticks((value) => (999_995 + value) % 1_000_000) }).violations).toEqual([]);
    expect(violated({ served: atOnce, stored: ticks((value) => 20 - value) })).toBe('C7');
    expect(violated({ served: atOnce, stored: ticks(() => 3) })).toBe('C7');
  });

  it('C8 and C9: finds what grew beyond its bound, and what recovered too late', () => {
    expect(
      run({ measured: [{ name: 'window', highest: 64, limit: 64 }], recoveries: [{ name: 'drain', tookMs: 9, limitMs: 9 }] }).violations,
    ).toEqual([]);
    expect(violated({ measured: [{ name: 'window', highest: 65, limit: 64 }] })).toBe('C8');
    expect(violated({ recoveries: [{ name: 'drain', tookMs: 10, limitMs: 9 }] })).toBe('C9');
  });

  it('refuses a journal that is no evidence', () => {
    expect(() => run({ served: [...ten, ...ten] })).toThrow('handed out twice');
  });
});
