import type { KpiRow } from '@nhip/core/kpi/answers';
import { describe, expect, it } from 'vitest';
import { readChoice, rowOf } from './shift-choice.ts';

const hourMs = 3_600_000;
const now = 1_795_300_000_000;
const row = (from: number, to: number): KpiRow => ({ period: { from, to } }) as KpiRow;
const early = row(now - 14 * hourMs, now - 6 * hourMs);
const running = row(now - 6 * hourMs, now + 2 * hourMs);

describe('rowOf', () => {
  it('finds the shift that runs, and the last one that is over', async () => {
    const ask = () => Promise.resolve([early, running]);
    expect(await rowOf('shift', now, ask)).toBe(running);
    expect(await rowOf('lastShift', now, ask)).toBe(early);
    expect(await rowOf('yesterday', now, ask)).toBe(early);
  });

  it('looks further back when nothing was worked on the weekend', async () => {
    const asked: number[] = [];
    const found = await rowOf('lastShift', now, ({ from, to }) => {
      asked.push((to - from) / hourMs);
      return Promise.resolve(asked.length === 1 ? [] : [early]);
    });
    expect(found).toBe(early);
    expect(asked).toEqual([36, 14 * 24]);
  });

  it('finds none between shifts', async () => {
    expect(await rowOf('shift', now, () => Promise.resolve([early]))).toBeNull();
    expect(readChoice('tomorrow')).toBeNull();
  });
});
