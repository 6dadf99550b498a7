import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterIncrease } from './counter.ts';

describe('counterIncrease', () => {
  it('takes a drop as a reset, or as a wrap where the range is known', () => {
    expect(counterIncrease(100, 103)).toBe(3);
    expect(counterIncrease(100, 4)).toBe(4);
    expect(counterIncrease(65_530, 4, { rolloverAt: 65_536 })).toBe(10);
    expect(counterIncrease(1_000, 4, { rolloverAt: 65_536 })).toBe(4);
    expect(counterIncrease(null, 500)).toBe(0);
    expect(counterIncrease(10, Number.NaN)).toBe(0);
    expect(counterIncrease(10, -1)).toBe(0);
  });

  it('adds up to what was produced, whatever is repeated and wherever a counter wraps', () => {
    const steps = fc.array(fc.record({ pieces: fc.nat(1000), repeats: fc.nat(2) }), { maxLength: 50 });
    fc.assert(
      fc.property(steps, fc.nat(65_535), (list, start) => {
        let total = 0;
        let gained = 0;
        let previous = start;
        for (const step of list) {
          total += step.pieces;
          const value = (start + total) % 65_536;
          for (let repeat = 0; repeat <= step.repeats; repeat++) {
            gained += counterIncrease(previous, value, { rolloverAt: 65_536 });
            previous = value;
          }
        }
        expect(gained).toBe(total);
      }),
    );
  });

  it('never loses a piece counted after a reset', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.array(fc.nat(1000), { minLength: 1 }), (before, after) => {
        let value = 0;
        let gained = 0;
        for (const pieces of before) {
          gained += counterIncrease(value, value + pieces);
          value += pieces;
        }
        let last = value;
        let fresh = 0;
        for (const pieces of after) {
          fresh += pieces;
          gained += counterIncrease(last, fresh);
          last = fresh;
        }
        const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
        // A reset is only visible as a drop: what hides it (the new count caught up before the first reading) counts once.
        expect(gained).toBeGreaterThanOrEqual(Math.max(sum(before), sum(after)));
        expect(gained).toBeLessThanOrEqual(sum(before) + sum(after));
      }),
    );
  });
});
