import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import type { Upkeep, UpkeepStatus } from '@nhip/stores/history-store';
import { expect, it } from 'vitest';
import { createUpkeepPart, nextTime } from './upkeep.ts';

const day = 86_400_000;
const idle: UpkeepStatus = {
  state: 'idle',
  waitingSlices: 0,
  waitingLateSamples: 0,
  lastEndMs: null,
  problem: null,
  slices: 0,
  lateSlices: 0,
  movedSamples: 0,
  expiredFiles: 0,
  expiredSamples: 0,
  coldFiles: 0,
  coldSamples: 0,
  coldBytes: 0,
  coldToMs: null,
};

it('knows the next time of day', () => {
  const at = Date.UTC(2026, 10, 20, 18, 30);
  expect(nextTime(at - 1, '18:30')).toBe(at);
  expect(nextTime(at, '18:30')).toBe(at + day);
});

it('runs soon after the start, then daily at its time, and after a failure again before long', async () => {
  const startMs = Date.UTC(2026, 10, 20, 10);
  const clock = createSimClock(startMs);
  const rounds: number[] = [];
  let fails = 0;
  const upkeep: Upkeep = {
    status: () => idle,
    run: async (nowMs) => {
      rounds.push(Math.round((nowMs - startMs) / 60_000));
      if (fails-- > 0) throw new Error('the disk is full');
    },
  };
  const part = createUpkeepPart(upkeep, { clock, log: silentLog(), atUtc: '18:30' });
  await part.start();
  await clock.advance(9 * 3_600_000);
  expect(rounds).toEqual([1, 510]);
  fails = 1;
  await clock.advance(day);
  expect(rounds).toEqual([1, 510, 510 + 1440, 510 + 1440 + 15]);
  await part.stop();
  await clock.advance(2 * day);
  expect(rounds).toHaveLength(4);
});
