import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRateLimit } from './rate-limit.ts';

it('lets a burst through, then as many as come back, and keeps callers apart', () => {
  const limit = createRateLimit({ perSecond: 10, burst: 3 });
  expect([1, 2, 3].map(() => limit.take('a', 0))).toEqual([0, 0, 0]);
  expect(limit.take('a', 0)).toBe(100);
  expect(limit.take('b', 0)).toBe(0);
  const session = {};
  expect(limit.take(session, 0)).toBe(0);
  expect(limit.take('a', 50)).toBe(50);
  expect(limit.take('a', 100)).toBe(0);
  expect(limit.take('a', 100)).toBeGreaterThan(0);
  expect(limit.refused()).toBe(3);
  expect([1, 2, 3, 4].map(() => limit.take('a', 1e9) === 0)).toEqual([true, true, true, false]);
});

it('never lets through more than the burst and what came back, whenever requests come', () => {
  const options = { perSecond: 20, burst: 5 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 }), (gapsMs) => {
      const limit = createRateLimit(options);
      let nowMs = 0;
      let passed = 0;
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        const waitMs = limit.take('a', nowMs);
        if (waitMs === 0) passed += 1;
        else expect(limit.take('a', nowMs + waitMs + 1)).toBe(0);
        if (waitMs > 0) {
          passed += 1;
          nowMs += waitMs + 1;
        }
        expect(passed).toBeLessThanOrEqual(options.burst + Math.ceil((nowMs * options.perSecond) / 1000));
      }
    }),
  );
});
