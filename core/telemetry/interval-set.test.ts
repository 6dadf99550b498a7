import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalSet } from './interval-set.ts';

describe('IntervalSet', () => {
  it('equals a plain set of numbers, with disjoint sorted intervals', () => {
    const range = fc.tuple(fc.nat(60), fc.nat(12)).map(([from, size]) => [from, from + size] as const);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), range, (ranges, [from, to]) => {
        const set = new IntervalSet(ranges);
        const plain = new Set<number>();
        for (const [a, b] of ranges) for (let i = a; i < b; i++) plain.add(i);
        for (let i = 0; i < 80; i++) expect(set.has(i)).toBe(plain.has(i));
        expect(set.overlap(from, to)).toBe([...plain].filter((i) => i >= from && i < to).length);
        const missing = set.gaps(from, to).flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i));
        expect(missing).toEqual(Array.from({ length: to - from }, (_, i) => from + i).filter((n) => !plain.has(n)));
        expect(set.gaps(from, to, 1)).toEqual(set.gaps(from, to).slice(0, 1));
        expect(set.end).toBe(Math.max(0, ...[...plain].map((n) => n + 1)));
        const intervals = set.intervals();
        for (let i = 1; i < intervals.length; i++) expect(intervals[i]?.[0]).toBeGreaterThan(intervals[i - 1]?.[1] as number);
        expect(new IntervalSet(intervals).intervals()).toEqual(intervals);
      }),
    );
  });

  it('closes its smallest gap, and only that one', () => {
    const set = new IntervalSet([
      [2, 4],
      [8, 9],
      [11, 12],
      [20, 22],
    ]);
    expect(set.closeSmallestGap()).toEqual([9, 11]);
    expect(set.intervals()).toEqual([
      [2, 4],
      [8, 12],
      [20, 22],
    ]);
    expect(set.closeSmallestGap()).toEqual([4, 8]);
    expect(set.closeSmallestGap()).toEqual([12, 20]);
    expect(set.closeSmallestGap()).toBeUndefined();
    expect(set.intervals()).toEqual([[2, 22]]);
  });
});
