import { describe, expect, it } from 'vitest';
import { defaultCharts, inReadingOrder, metricLabel } from './metric-names.ts';
import { appendLive, drawnColumns, numeric, seriesFromBuckets, seriesFromRaw, summaryOf, trimSeries } from './trend-series.ts';

const good = 192;

describe('raw series', () => {
  it('has no value where the quality is bad', () => {
    expect(seriesFromRaw({ t: [0, 1000, 2000], v: [1, 2, 3], q: [good, 0, good] }).line).toEqual([1, null, 3]);
  });

  it('appends live values once', () => {
    const series = seriesFromRaw({ t: [1000], v: [1], q: [good] });
    expect(appendLive(series, { v: 2, t: 1000, q: good })).toBe(false);
    expect(appendLive(series, { v: true, t: 1500, q: good })).toBe(true);
    expect(series.line).toEqual([1, 1]);
  });
});

describe('bucket series', () => {
  const history = { t: [0, 60_000], min: [1, 2], max: [5, 6], avg: [3, 4], last: [3, 5], count: [10, 3] };

  it('puts a live value into the running bucket, or opens the next one', () => {
    const series = seriesFromBuckets(history, 60_000);
    expect(appendLive(series, { v: 8, t: 90_000, q: good })).toBe(true);
    expect([series.line.at(-1), series.low.at(-1), series.high.at(-1), series.count.at(-1)]).toEqual([5, 2, 8, 4]);
    expect(appendLive(series, { v: 1, t: 121_000, q: good })).toBe(true);
    expect([series.t.at(-1), series.line.at(-1)]).toEqual([120_000, 1]);
    expect(appendLive(series, { v: 9, t: 30_000, q: good })).toBe(false);
    expect(appendLive(series, { v: 9, t: 130_000, q: 0 })).toBe(false);
  });

  it('sums up with the band', () => {
    expect(summaryOf(seriesFromBuckets(history, 60_000))).toEqual({ min: 1, max: 6, last: 5 });
    expect(summaryOf(seriesFromRaw({ t: [], v: [], q: [] }))).toBeNull();
  });

  it('forgets the past but lets the line come in from the left', () => {
    const series = seriesFromRaw({ t: [0, 1000, 2000, 3000], v: [1, 2, 3, 4], q: [good, good, good, good] });
    trimSeries(series, 1500);
    expect(series.t).toEqual([1000, 2000, 3000]);
  });
});

describe('drawnColumns', () => {
  const raw = seriesFromRaw({ t: [0, 1000, 9000], v: [1, 2, 3], q: [good, good, good] });
  const pairs = (columns: ReturnType<typeof drawnColumns>) => columns.t.map((t, index) => [t, columns.line[index]]);

  it('holds the newest value until now, unless nobody knows', () => {
    expect(pairs(drawnColumns(raw, [], 9500)).at(-1)).toEqual([9500, 3]);
    expect(pairs(drawnColumns(raw, [], null))).toEqual([
      [0, 1],
      [1000, 2],
      [9000, 3],
    ]);
    expect(pairs(drawnColumns(raw, [{ from: 9200, to: 9900 }], 9500)).at(-1)).toEqual([9000, 3]);
  });

  it('leaves a gap where data was lost', () => {
    expect(pairs(drawnColumns(raw, [{ from: 4000, to: 8000 }], null))).toEqual([
      [0, 1],
      [1000, 2],
      [4000, null],
      [9000, 3],
    ]);
  });

  it('holds the last value of a bucket when the next one is far away', () => {
    const series = seriesFromBuckets({ t: [0, 5000], min: [1, 1], max: [9, 1], avg: [4, 1], last: [8, 1], count: [9, 1] }, 1000);
    expect(pairs(drawnColumns(series, [], null))).toEqual([
      [0, 4],
      [1000, 8],
      [5000, 1],
    ]);
    expect(pairs(drawnColumns(series, [{ from: 500, to: 4000 }], 7000))).toEqual([
      [0, 4],
      [500, null],
      [5000, 1],
      [6000, 1],
      [7000, 1],
    ]);
  });
});

describe('numeric', () => {
  it('takes numbers, switches and 64-bit integers as text', () => {
    expect([numeric(1.5), numeric(true), numeric('9007199254740993'), numeric('12a'), numeric(null), numeric('')]).toEqual([
      1.5,
      1,
      9007199254740992,
      null,
      null,
      null,
    ]);
  });
});

describe('metrics', () => {
  const words = (code: string): string => code;
  const metric = (name: string, v: number | boolean | string) => ({ name, v, t: 0, unit: null, q: good });

  it('are listed by meaning, then by name, alarms last', () => {
    const listed = inReadingOrder([metric('Alarm/hot', true), metric('Temp/10', 1), metric('Temp/9', 1), metric('State', 'idle')]);
    expect(listed.map(({ name }) => name)).toEqual(['State', 'Temp/9', 'Temp/10', 'Alarm/hot']);
  });

  it('are drawn from power and process values when nothing is chosen', () => {
    expect(defaultCharts([metric('Count/Good', 1), metric('Power/Active', 1), metric('Temp', 1), metric('Door', true)])).toEqual([
      'Power/Active',
      'Temp',
    ]);
  });

  it('have names for people where the vocabulary knows them', () => {
    expect(metricLabel('en', 'Power/Active', words)).toBe('Power');
    expect(metricLabel('vi', 'Alarm/Kẹt phôi', words)).toBe('Cảnh báo Kẹt phôi');
    expect(metricLabel('vi', 'Spindle/Speed', words)).toBe('Spindle/Speed');
    expect(metricLabel('vi', 'alarm', words)).not.toContain('{');
  });
});
