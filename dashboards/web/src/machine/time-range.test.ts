import { describe, expect, it } from 'vitest';
import { bucketMs, fixedWindow, panned, readWindow, ticks, windowQuery, zoneOffsetMs, zoomed } from './time-range.ts';

const now = Date.UTC(2026, 10, 21, 5, 4, 3);
const hour = 3_600_000;

describe('time window', () => {
  it('reads from the URL what it wrote', () => {
    for (const window of [readWindow(new URLSearchParams('range=24h'), now), fixedWindow(now - 5 * hour, now - 3 * hour, now)]) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(windowQuery(window))) if (value !== null) query.set(name, value);
      expect(readWindow(query, now)).toEqual(window);
    }
  });

  it('falls back to eight hours', () => {
    expect(readWindow(new URLSearchParams('range=x&from=9&to=3'), now)).toEqual({ range: '8h', from: now - 8 * hour, to: now });
  });

  it('never looks into the future and never gets too short', () => {
    expect(panned(fixedWindow(now - hour, now, now), 5, now).to).toBe(now);
    const tiny = zoomed(fixedWindow(now - 10_000, now, now), 0.001, now);
    expect(tiny.to - tiny.from).toBe(10_000);
  });

  it('zooms around the middle, and at "now" around the right edge', () => {
    expect(zoomed({ range: null, from: now - 10 * hour, to: now - 6 * hour }, 0.5, now)).toMatchObject({
      from: now - 9 * hour,
      to: now - 7 * hour,
    });
    expect(zoomed({ range: '8h', from: now - 8 * hour, to: now }, 0.5, now)).toMatchObject({ from: now - 4 * hour, to: now });
  });
});

describe('resolution', () => {
  it('asks for every sample only in short windows', () => {
    expect(bucketMs(hour / 4, 480)).toBeNull();
    expect(bucketMs(8 * hour, 480)).toBe(60_000);
    expect(bucketMs(168 * hour, 480)).toBe(30 * 60_000);
  });

  it('puts ticks at round local times', () => {
    expect(zoneOffsetMs(now, 'Asia/Ho_Chi_Minh')).toBe(7 * hour);
    const days = ticks(now - 168 * hour, now, 8, 'Asia/Ho_Chi_Minh');
    expect(days.stepMs).toBe(24 * hour);
    for (const at of days.at) expect((at + 7 * hour) % (24 * hour)).toBe(0);
    expect(ticks(now - hour, now, 6, 'UTC').at.length).toBeLessThanOrEqual(7);
  });
});
