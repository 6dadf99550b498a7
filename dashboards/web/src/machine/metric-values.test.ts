import type { MetricView } from '@nhip/core/wire/live';
import { describe, expect, it } from 'vitest';
import { createMetricValues } from './metric-values.ts';

const hourMs = 3_600_000;
const metric = (name: string, v: number, t: number): MetricView => ({ name, v, t, unit: null, q: 192 });
const shown = (values: ReturnType<typeof createMetricValues>) => values.all().map(({ name, v }) => [name, v]);

describe('createMetricValues', () => {
  it('goes by arrival: the clock of an edge that is set back freezes nothing', () => {
    const values = createMetricValues();
    values.live(metric('Temp', 1, hourMs));
    values.live(metric('Temp', 2, 1000));
    values.live(metric('Temp', 3, 2000));
    expect(shown(values)).toEqual([['Temp', 3]]);
  });

  it('tells when a clock was set back, but not of samples that are a little out of order', () => {
    const values = createMetricValues();
    const jumps = [hourMs, hourMs - 60_000, hourMs, hourMs - 60_001, 2000, 3000].map((t) => values.live(metric('Temp', 1, t)).isSetBack);
    expect(jumps).toEqual([false, false, false, true, true, false]);
    expect(values.live(metric('Power', 1, 0)).isSetBack).toBe(false);
  });

  it('takes from an answer only what no frame has told', () => {
    const values = createMetricValues();
    values.live(metric('Temp', 2, 1000));
    expect([metric('Temp', 1, hourMs), metric('Power', 5, 0)].map((each) => values.fetched(each))).toEqual([false, true]);
    expect(shown(values)).toEqual([
      ['Temp', 2],
      ['Power', 5],
    ]);
    values.live(metric('Power', 6, 0));
    expect(shown(values)[1]).toEqual(['Power', 6]);
  });
});
