import { describe, expect, it } from 'vitest';
import { backOffMs } from './back-off.ts';
import { createDeviceBreaker } from './device-breaker.ts';
import { advance, nextSlot, spreadSlots } from './poll-schedule.ts';

describe('the poll schedule', () => {
  it('spreads first reads over at most a second', () => {
    expect(spreadSlots([200, 200, 60_000, 60_000], 1000).map((slot) => slot.dueMs)).toEqual([1000, 1050, 1500, 1750]);
  });

  it('keeps the rate without drift', () => {
    const slot = { intervalMs: 100, dueMs: 0 };
    expect([advance(slot, 30), advance(slot, 199), advance(slot, 210)]).toEqual([0, 0, 0]);
    expect(slot.dueMs).toBe(300);
  });

  it('skips and counts slots that are wholly gone', () => {
    const slot = { intervalMs: 100, dueMs: 0 };
    expect(advance(slot, 350)).toBe(2);
    expect(slot.dueMs).toBe(300);
  });

  it('takes the slot that is due first', () => {
    const slots = [
      { intervalMs: 100, dueMs: 70 },
      { intervalMs: 10, dueMs: 20 },
    ];
    expect(nextSlot(slots)).toBe(slots[1]);
  });
});

describe('the circuit breaker of a device', () => {
  it('opens after three failures, probes after 5 s, 10 s … up to a minute, and closes with one answer', () => {
    const breaker = createDeviceBreaker(() => 0.5);
    expect([breaker.failed(), breaker.failed()]).toEqual([undefined, undefined]);
    expect(breaker.isOpen).toBe(false);
    expect(Array.from({ length: 6 }, () => breaker.failed())).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(breaker.isOpen).toBe(true);
    breaker.reconnected();
    expect(breaker.failed()).toBe(5_000);
    breaker.succeeded();
    expect(breaker.isOpen).toBe(false);
    expect(breaker.failed()).toBeUndefined();
  });
});

describe('the back-off', () => {
  it('doubles from half a second to 30 s and takes up to half away', () => {
    expect([0, 1, 2, 5, 6, 7, 1000].map((attempt) => backOffMs(attempt, 0))).toEqual([500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
    expect(backOffMs(1, 0.999)).toBeCloseTo(500, 0);
  });
});
