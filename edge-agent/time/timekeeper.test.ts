import { silentLog } from '@nhip/core/process/log';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it } from 'vitest';
import { bootComputer, type Computer } from './testing/rig.ts';
import { earliestMs, openTimekeeper, type Timekeeper } from './timekeeper.ts';

const todayMs = Date.UTC(2026, 5, 1);
const minuteMs = 60_000;

function open(disk: SimDisk, { clock, sources }: Computer): Promise<Timekeeper> {
  const env = { clock, random: createSimRandom(1), disk: disk.boot() };
  return clock.drive(openTimekeeper('time', { env, sources, log: silentLog() }));
}

/** A disk on which the agent has run until `todayMs`. */
async function usedDisk(): Promise<SimDisk> {
  const disk = createSimDisk();
  const computer = bootComputer(todayMs - 10 * minuteMs);
  await open(disk, computer);
  // Cut off without a word: the time of the last minute is on disk.
  await computer.clock.advance(10 * minuteMs + 500);
  disk.crash(createSimRandom(1));
  return disk;
}

describe('the timekeeper', () => {
  it('believes a plausible clock at once, and says more when the system does', async () => {
    expect((await open(createSimDisk(), bootComputer(todayMs))).state).toBe('holdover');
    expect((await open(createSimDisk(), bootComputer(todayMs, true))).state).toBe('synced');
    expect((await open(await usedDisk(), bootComputer(todayMs + minuteMs))).state).toBe('holdover');
  });

  it('never goes back behind what was seen last, at most a minute before the end', async () => {
    const computer = bootComputer(0);
    const keeper = await open(await usedDisk(), computer);
    expect(keeper.state).toBe('unsynced');
    expect(keeper.clock.now()).toBeGreaterThanOrEqual(todayMs - minuteMs);
    expect(keeper.clock.now()).toBeLessThanOrEqual(todayMs + 1000);
    const beforeMs = keeper.clock.now();
    await computer.clock.advance(5_000);
    expect(keeper.clock.now()).toBe(beforeMs + 5_000);
    expect((await open(createSimDisk(), bootComputer(0))).clock.now()).toBe(earliestMs);
  });

  it('knows the time as soon as the wall clock is set, and tells who waits', async () => {
    const computer = bootComputer(0);
    const keeper = await open(await usedDisk(), computer);
    const known: number[] = [];
    keeper.whenKnown(() => known.push(keeper.clock.now()));
    await computer.clock.advance(minuteMs);
    expect(known).toEqual([]);
    computer.clock.jump(todayMs + 10 * minuteMs - computer.clock.now());
    await computer.clock.advance(1_500);
    expect(known.length).toBe(1);
    expect(keeper.clock.now()).toBe(computer.clock.now());
    expect(keeper.health()).toEqual({ state: 'holdover', steps: 1 });
    computer.sources.isSynced = true;
    await computer.clock.advance(1_500);
    expect(keeper.state).toBe('synced');
  });

  it('distrusts a clock that was restored from a file, but not for ever', async () => {
    const restored = bootComputer(todayMs + minuteMs, false);
    const keeper = await open(await usedDisk(), restored);
    expect(keeper.state).toBe('unsynced');
    await restored.clock.advance(6 * minuteMs);
    expect(keeper.state).toBe('holdover');
  });

  it('believes the system against what was seen last: that may have been a clock in the future', async () => {
    expect((await open(await usedDisk(), bootComputer(todayMs - 1e9, true))).state).toBe('synced');
    const computer = bootComputer(todayMs - 1e9);
    const keeper = await open(await usedDisk(), computer);
    expect(keeper.state).toBe('unsynced');
    await computer.clock.advance(6 * minuteMs);
    expect(keeper.state).toBe('holdover');
    expect(keeper.clock.now()).toBe(computer.clock.now());
  });

  it('believes after a restart what it believed before, also after a step back', async () => {
    const disk = await usedDisk();
    const computer = bootComputer(todayMs + minuteMs);
    await open(disk, computer);
    await computer.clock.advance(2_000);
    computer.clock.jump(-3_600_000);
    await computer.clock.advance(2_000);
    disk.crash(createSimRandom(1));
    expect((await open(disk, computer)).state).toBe('holdover');
  });

  it('follows a step of a clock that is believed, and goes on by itself when that falls to 1970', async () => {
    const computer = bootComputer(todayMs);
    const { clock } = computer;
    const keeper = await open(createSimDisk(), computer);
    await clock.advance(2_000);
    clock.jump(-3_600_000);
    await clock.advance(2_000);
    expect(keeper.clock.now()).toBe(clock.now());
    expect(keeper.health().steps).toBe(1);
    await clock.advance(1_000);
    const beforeMs = keeper.clock.now();
    clock.jump(-clock.now());
    await clock.advance(10_000);
    expect(keeper.state).toBe('holdover');
    expect(Math.abs(keeper.clock.now() - beforeMs - 10_000)).toBeLessThan(1_100);
    expect(keeper.health().offsetMs).toBeLessThan(-1e12);
    await clock.drive(keeper.close());
  });
});
