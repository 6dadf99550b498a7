import type { Clock } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import type { Upkeep } from '@nhip/stores/history-store';

export interface UpkeepPartDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Time of day, `HH:MM` UTC. */
  readonly atUtc: string;
}

/** After a start there is more urgent work; days may be waiting, though. */
const afterStartMs = 60_000;
const againMs = 15 * 60_000;
/** The wall clock is looked at this often: it may jump. */
const lookMs = 30_000;
const dayMs = 86_400_000;

/** Runs the upkeep of a store soon after the start and then every day; a round that failed is tried again. */
export function createUpkeepPart(upkeep: Upkeep, { clock, log, atUtc }: UpkeepPartDeps): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  let working: Promise<void> = Promise.resolve();
  let hasFailed = false;

  /** Whether the round came to its end. */
  async function round(): Promise<boolean> {
    const before = upkeep.status();
    const startedMs = clock.monotonic();
    try {
      await upkeep.run(clock.now(), signal);
    } catch (error) {
      if (!signal.aborted && !hasFailed)
        log.error({ err: error, why: reasonOf(error) }, 'Closed days cannot be moved to files; they stay where they are');
      hasFailed = true;
      return false;
    }
    const { slices, movedSamples, expiredFiles, expiredSamples } = upkeep.status();
    const done = { slices: slices - before.slices, movedSamples: movedSamples - before.movedSamples };
    const gone = { expiredFiles: expiredFiles - before.expiredFiles, expiredSamples: expiredSamples - before.expiredSamples };
    const isNews = hasFailed || done.slices > 0 || gone.expiredFiles > 0 || gone.expiredSamples > 0;
    if (isNews) log.info({ ...done, ...gone, tookMs: Math.round(clock.monotonic() - startedMs) }, 'Closed days were moved to files');
    hasFailed = false;
    return true;
  }

  async function work(): Promise<void> {
    await clock.sleep(afterStartMs, signal);
    for (;;) {
      const isDone = await round();
      const nextMs = isDone ? nextTime(clock.now(), atUtc) : clock.now() + againMs;
      while (clock.now() < nextMs && nextMs - clock.now() <= dayMs) await clock.sleep(lookMs, signal);
    }
  }

  return {
    name: 'upkeep',
    async start() {
      working = work().catch(() => undefined);
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** The next time after `nowMs` at which it is `atUtc` o'clock. */
export function nextTime(nowMs: number, atUtc: string): number {
  const [hours = 0, minutes = 0] = atUtc.split(':').map(Number);
  const today = Math.floor(nowMs / dayMs) * dayMs + (hours * 60 + minutes) * 60_000;
  return today > nowMs ? today : today + dayMs;
}
