import { describe, expect, it } from 'vitest';
import { runLongOutage } from './long-outage.ts';

const hour = { hours: 1, tags: 120, intervalMs: 30_000 };

describe('a long outage', () => {
  it('costs nothing while the outbox has room, and live values stay quick', async () => {
    const report = await runLongOutage({ ...hour, outboxBytes: 16_777_216 });
    expect(report).toMatchObject({ violations: [], lost: 0 });
    expect(report.samples).toBeGreaterThan(14_000);
    expect(report.stored).toBe(report.samples);
    expect(report.slowestLiveMs).toBeGreaterThan(0);
    expect(report.slowestLiveMs).toBeLessThan(1000);
  });

  it('counts what a small outbox had to give up, to the sample', async () => {
    const report = await runLongOutage({ ...hour, outboxBytes: 65_536 });
    expect(report.violations).toEqual([]);
    expect(report.lost).toBeGreaterThan(1000);
    expect(report.stored + report.lost).toBe(report.samples);
  });
});
