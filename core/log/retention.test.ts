import { describe, expect, it } from 'vitest';
import { planDeletion } from './retention.ts';

const now = 1_700_000_000_000;
/** Five segments of ten records and 100 bytes, begun one minute apart, the last one now. */
const segments = Array.from({ length: 5 }, (_, i) => ({
  firstIndex: 10 * i,
  endIndex: 10 * i + 10,
  size: 100,
  header: { createdMs: now - 60_000 * (4 - i) },
}));

describe('what may be deleted', () => {
  it('is what every reader is done with, but never the last segment', () => {
    expect(planDeletion(segments, 25, now, { maxBytes: 1000 })).toEqual({ count: 2, evicted: undefined });
    expect(planDeletion(segments, 50, now, { maxBytes: 1000 })).toEqual({ count: 4, evicted: undefined });
  });

  it('leaves the tail within both of its limits', () => {
    expect(planDeletion(segments, 50, now, { maxBytes: 1000, keepTailBytes: 250 }).count).toBe(3);
    expect(planDeletion(segments, 50, now, { maxBytes: 1000, keepTailMs: 90_000 }).count).toBe(2);
    expect(planDeletion(segments, 50, now, { maxBytes: 1000, keepTailBytes: 250, keepTailMs: 90_000 }).count).toBe(3);
  });

  it('takes the tail and then unread records when the quota asks for it, and names them', () => {
    expect(planDeletion(segments, 50, now, { maxBytes: 250, keepTailBytes: 1000 })).toEqual({ count: 3, evicted: undefined });
    expect(planDeletion(segments, 15, now, { maxBytes: 250 })).toEqual({ count: 3, evicted: { fromIndex: 15, toIndex: 30 } });
    expect(planDeletion(segments, 0, now, { maxBytes: 1000, maxAgeMs: 100_000 })).toEqual({
      count: 2,
      evicted: { fromIndex: 0, toIndex: 20 },
    });
  });

  it('is nothing unread when the log refuses instead, however full or old', () => {
    const limits = { maxBytes: 250, maxAgeMs: 1000, whenFull: 'refuse' } as const;
    expect(planDeletion(segments, 0, now, limits)).toEqual({ count: 0, evicted: undefined });
    expect(planDeletion(segments, 25, now, { ...limits, keepTailBytes: 1000 })).toEqual({ count: 2, evicted: undefined });
  });

  it('does not take records for old that a clock stamped which was never set', () => {
    const unset = segments.map((segment, i) => ({ ...segment, header: { createdMs: 1000 * i } }));
    expect(planDeletion(unset, 0, now, { maxBytes: 1000, maxAgeMs: 100_000 }).count).toBe(0);
  });
});
