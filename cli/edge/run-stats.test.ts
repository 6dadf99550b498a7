import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import type { AgentHealth } from '@nhip/edge-agent/agent';
import { describe, expect, it } from 'vitest';
import { countingDisk } from './counting-disk.ts';
import { type RunReading, statsBetween, statsText } from './run-stats.ts';

function reading(monotonicMs: number, recorded: number, polls: number, pages: number, syncs: number): RunReading {
  const counters = { polls, failures: 0, overruns: 0, reconnects: 0, samples: recorded };
  const connection = {
    id: 'a',
    driver: 'modbus',
    state: 'connected',
    reason: null,
    counters,
    cycleMs: { last: 12.4, max: 40 },
    devices: [{ state: 'online' }],
  };
  const health = {
    recorded,
    lost: 0,
    published: 0,
    pendingRecords: 3,
    pendingLosses: 0,
    session: { isOnline: true },
    connections: [connection],
  };
  return { health: health as unknown as AgentHealth, use: { bytes: recorded * 40, pages, syncs }, rssBytes: 70_000_000, monotonicMs };
}

describe('the statistics of a running agent', () => {
  it('are those of the interval', () => {
    const stats = statsBetween(reading(1000, 500, 50, 10, 5), reading(11_000, 10_500, 150, 110, 105));
    expect(stats).toMatchObject({
      samplesPerS: 1000,
      bytesPerSample: 40,
      syncsPerS: 10,
      polls: 100,
      cycleMs: { last: 12.4, max: 40 },
      online: 1,
    });
    // 100 pages of data and 5 pages of journal for each of 100 syncs in 10 s.
    expect(stats.wearBytesPerDay).toBe(600 * 4096 * 8640);
    expect(statsText(stats)).toBe(
      '1000 samples/s · 40 B written/sample · 10 syncs/s · card ≈ 21 GB/day · 1/1 devices · 100 reads · cycle 12 ms, at most 40 ms · broker up · 3 queued · RSS 70 MB',
    );
  });

  it('know no bytes per sample when there was none', () => {
    expect(statsText(statsBetween(reading(0, 5, 1, 0, 0), reading(1000, 5, 1, 0, 0)))).toContain(
      '0 samples/s · – B written/sample · 0 syncs/s',
    );
  });
});

it('a counted disk counts bytes, the pages that they lie in, and syncs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-disk-'));
  try {
    const { disk, use } = countingDisk(createNodeDisk(folder));
    const file = await disk.open('a', 'create');
    await file.write(new Uint8Array(10), 0);
    await file.write(new Uint8Array(10), 4090);
    await file.write(new Uint8Array(0), 0);
    await file.sync();
    expect(await file.size()).toBe(4100);
    await file.close();
    expect(use()).toEqual({ bytes: 20, pages: 3, syncs: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
