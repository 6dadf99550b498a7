import { describe, expect, it } from 'vitest';
import { createLaggard } from './laggard.ts';

describe('createLaggard', () => {
  it('leaves a viewer alone that acknowledged everything, however long ago', () => {
    const laggard = createLaggard(0);
    laggard.acked(7, 7, 100);
    expect(laggard.judge(7, 10_000_000)).toBe('keepsUp');
  });

  it('calls a viewer slow after 30 frames or 3 s, and drops it after a minute and a half of silence', () => {
    const laggard = createLaggard(0);
    laggard.acked(1, 1, 0);
    expect(laggard.judge(31, 100)).toBe('keepsUp');
    expect(laggard.judge(32, 200)).toBe('slow');
    laggard.acked(32, 32, 300);
    expect(laggard.judge(33, 400)).toBe('keepsUp');
    expect(laggard.judge(34, 3400)).toBe('keepsUp');
    expect(laggard.judge(35, 3401)).toBe('slow');
    expect(laggard.judge(36, 90_400)).toBe('slow');
    expect(laggard.judge(37, 90_401)).toBe('drop');
  });

  it('begins to wait anew when the clock was set back', () => {
    const laggard = createLaggard(3_600_000);
    laggard.acked(1, 1, 3_600_000);
    expect(laggard.judge(2, 3_600_100)).toBe('keepsUp');
    expect(laggard.judge(3, 100)).toBe('keepsUp');
    expect(laggard.judge(4, 3101)).toBe('slow');
    expect(laggard.judge(5, 90_101)).toBe('drop');
  });

  it('keeps up again with the acknowledgement of a snapshot, and awaits only one', () => {
    const laggard = createLaggard(0);
    laggard.acked(1, 1, 0);
    expect(laggard.judge(50, 10)).toBe('slow');
    laggard.snapshotSent();
    expect(laggard.isAwaited).toBe(true);
    laggard.acked(50, 52, 20);
    expect(laggard.isAwaited).toBe(false);
    expect(laggard.judge(53, 30)).toBe('keepsUp');
  });

  it('believes no acknowledgement of what was never sent', () => {
    const laggard = createLaggard(0);
    laggard.acked(Number.MAX_SAFE_INTEGER, 5, 0);
    laggard.acked(Number.NaN, 5, 0);
    expect(laggard.judge(40, 4000)).toBe('slow');
  });
});
