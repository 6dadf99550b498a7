import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAckTracker } from './ack-tracker.ts';

describe('the ack tracker', () => {
  it('has its cursor at the first record that is not acknowledged, in whatever order they are', () => {
    const range = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.nat(10), fc.array(range, { maxLength: 40 }), (start, ranges) => {
        const tracker = createAckTracker(start);
        const done = new Set<number>();
        for (const [from, count] of ranges) {
          tracker.acknowledge(from, from + count);
          for (let i = from; i < from + count; i++) done.add(i);
          let expected = start;
          while (done.has(expected)) expected++;
          expect(tracker.cursor()).toBe(expected);
          for (let i = 0; i < 50; i++) expect(tracker.isAcknowledged(i)).toBe(i < expected || done.has(i));
          const open = tracker.open(3, 30).flatMap(([begin, end]) => Array.from({ length: end - begin }, (_, i) => begin + i));
          expect(open).toEqual(Array.from({ length: 27 }, (_, i) => 3 + i).filter((i) => i >= expected && !done.has(i)));
        }
      }),
    );
  });
});
