import type { Clock, Timer } from '../env.ts';
import { sleepWith } from '../node-clock.ts';

interface SimTimer extends Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on, and then goes in whole ms: rounding must not make a wait that never ends. */
export interface SimClock extends Clock {
  /** Goes on by `ms`, running each timer when it is due and letting the work that follows from it finish. */
  advance(ms: number): Promise<void>;
  /** Goes from timer to timer until `work` has settled, and settles like it. Rejects when it waits for something that is no timer. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** Makes the wall clock jump; monotonic time and timers do not notice. */
  jump(ms: number): void;
}

/** Monotonic time starts at 0, wall time at `startMs` (ms since 1970). */
export function createSimClock(startMs = Date.UTC(2025, 0, 1)): SimClock {
  const timers = new Set<SimTimer>();
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  let order = 0;

  const after: Clock['after'] = (delayMs, run) => {
    const timer: SimTimer = { dueMs: Math.ceil(elapsedMs + Math.max(0, delayMs)), order: order++, run, cancel: () => timers.delete(timer) };
    timers.add(timer);
    return timer;
  };
  const nextTimer = (): SimTimer | undefined => {
    let next: SimTimer | undefined;
    for (const timer of timers) {
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  };
  const fire = async (timer: SimTimer): Promise<void> => {
    timers.delete(timer);
    elapsedMs = Math.max(elapsedMs, timer.dueMs);
    timer.run();
    await settle();
  };

  return {
    now: () => wallOffsetMs + elapsedMs,
    monotonic: () => elapsedMs,
    after,
    sleep: (delayMs, signal) => sleepWith(after, delayMs, signal),
    jump(ms) {
      wallOffsetMs += ms;
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let timer = nextTimer(); timer !== undefined && timer.dueMs <= untilMs; timer = nextTimer()) {
        await fire(timer);
      }
      elapsedMs = untilMs;
    },
    async drive(work) {
      const state = { settled: false };
      const done = (): void => {
        state.settled = true;
      };
      work.then(done, done);
      await settle();
      while (!state.settled) {
        const timer = nextTimer();
        if (timer === undefined) {
          throw new Error('The simulated work waits for something that no timer will bring.');
        }
        await fire(timer);
      }
      return work;
    },
  };
}

/** Lets every chain of promises that is under way run dry. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
