import type { DowntimeStop } from '@nhip/core/kpi/answers';
import type { Correction } from '@nhip/core/kpi/corrections';
import { describe, expect, it } from 'vitest';
import { mergeableOf, middleOf, newestHeld, reasonName, sumOf } from './stop-rows.ts';

const stop = (from: number, to: number | null, machine = 'm'): DowntimeStop => ({
  ...{ id: `${machine}@${from}`, machine, from, to, state: 'fault', reason: null, reasonCode: 'unexplained', kind: 'unplanned' },
  ...{ bucket: 'delay', isMicroStop: false, isUnexplained: true, corrections: [] },
});
const said = (id: string, more: object): Correction => ({ id, machine: 'm', by: 'lan', atMs: 1, ...more }) as Correction;

describe('stops of a period', () => {
  it('count with their part of it, up to now', () => {
    expect(sumOf([stop(-100, 50), stop(80, null)], { from: 0, to: 200 }, 120)).toEqual({ count: 2, ms: 90 });
  });

  it('may be merged only with what follows at once on the same machine, when both are over', () => {
    const first = stop(0, 50);
    expect(mergeableOf(first, [stop(50, 60, 'other'), stop(51, 60)])).toBeUndefined();
    expect(mergeableOf(first, [stop(60, 70), stop(50, 60)])?.from).toBe(50);
    expect(mergeableOf(first, [stop(50, null)])).toBeUndefined();
    expect(mergeableOf(stop(0, null), [stop(50, 60)])).toBeUndefined();
    expect(mergeableOf({ ...first, state: 'unknown' }, [stop(50, 60)])).toBeUndefined();
  });
});

describe('newestHeld', () => {
  it('is what "undo" takes back: not what was replaced or withdrawn', () => {
    const first = said('a', { kind: 'reclassify', fromMs: 0, toMs: 1, reason: 'other' });
    const second = said('b', { kind: 'split', splitMs: 5 });
    expect(newestHeld([first, second])?.id).toBe('b');
    expect(newestHeld([first, second, said('c', { kind: 'withdraw', replaces: 'b' })])?.id).toBe('a');
    expect(newestHeld([])).toBeUndefined();
  });
});

describe('reasonName', () => {
  const reasons = [
    {
      ...{ code: 'breakdown', kind: 'unplanned', name: { vi: 'Hỏng máy', en: 'Breakdown' } },
      plantCodes: [{ code: 'E17', name: { vi: 'Gãy dao', en: 'Broken tool' } }],
    },
  ] as const;
  it('names standard codes and those of the plant', () => {
    expect([reasonName('breakdown', reasons)?.en, reasonName('E17', reasons)?.en, reasonName('E18', reasons)]).toEqual([
      'Breakdown',
      'Broken tool',
      undefined,
    ]);
  });
});

describe('middleOf', () => {
  it('lies on a whole second', () => {
    expect(middleOf(1000, 4600)).toBe(3000);
  });
});
