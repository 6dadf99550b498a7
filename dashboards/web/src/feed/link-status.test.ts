import { describe, expect, it } from 'vitest';
import { linkStatus } from './link-status.ts';
import { createServerTime } from './server-time.ts';

describe('linkStatus', () => {
  const facts = { browserOnline: true, connected: true, silenceMs: 200 };

  it('goes from live to stale after three seconds without a frame', () => {
    expect(linkStatus(facts)).toBe('live');
    expect(linkStatus({ ...facts, silenceMs: 3000 })).toBe('live');
    expect(linkStatus({ ...facts, silenceMs: 3001 })).toBe('stale');
  });

  it('tells a lost server from a lost network', () => {
    expect(linkStatus({ ...facts, connected: false })).toBe('reconnecting');
    expect(linkStatus({ browserOnline: false, connected: false, silenceMs: 9000 })).toBe('offline');
  });

  it('believes frames rather than a browser that claims to have no network', () => {
    expect(linkStatus({ ...facts, browserOnline: false })).toBe('live');
  });

  it('is connecting until the first frame', () => {
    expect(linkStatus({ ...facts, connected: false, silenceMs: null })).toBe('connecting');
  });
});

describe('createServerTime', () => {
  it('takes the least delayed frame for the truth', () => {
    const time = createServerTime();
    time.observe(10_000, 1400);
    time.observe(11_000, 2020);
    time.observe(12_000, 3300);
    expect(time.at(4000)).toBeGreaterThan(12_950);
    expect(time.at(4000)).toBeLessThanOrEqual(12_980);
  });

  it('follows a server clock that was set back', () => {
    const time = createServerTime();
    time.observe(100_000, 0);
    for (let second = 1; second <= 200; second += 1) time.observe(40_000 + second * 1000, second * 1000);
    expect(Math.abs(time.at(200_000) - 240_000)).toBeLessThan(100);
  });
});
