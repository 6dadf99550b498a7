import type { Clock, Timer } from '@nhip/core/process/env';
import { sleepWith } from '@nhip/core/process/node-clock';

/** A program that runs on one of the simulated machines: until it ends, however that happens. */
export interface SimProcess {
  /** Its machine's wall clock and its own timers: none of them fires after the end. */
  readonly clock: Clock;
  readonly isAlive: boolean;
  /** Called once at the end. */
  onEnd(run: () => void): void;
  /** Ends it at once, as `kill -9` does. What it still computes has no effect on anybody. */
  end(): void;
}

/** `wallOffsetMs` is how far the machine's wall clock is from the true time; read each time. */
export function createSimProcess(base: Clock, wallOffsetMs: () => number): SimProcess {
  const timers = new Set<Timer>();
  const endings: (() => void)[] = [];
  let isAlive = true;

  const after: Clock['after'] = (delayMs, run) => {
    if (!isAlive) return { cancel: () => undefined };
    const timer = base.after(delayMs, () => {
      timers.delete(timer);
      run();
    });
    timers.add(timer);
    return {
      cancel: () => {
        timers.delete(timer);
        timer.cancel();
      },
    };
  };

  return {
    clock: {
      now: () => base.now() + wallOffsetMs(),
      monotonic: () => base.monotonic(),
      after,
      sleep: (delayMs, signal) => sleepWith(after, delayMs, signal),
    },
    get isAlive() {
      return isAlive;
    },
    onEnd(run) {
      endings.push(run);
    },
    end() {
      if (!isAlive) return;
      isAlive = false;
      for (const timer of timers) timer.cancel();
      timers.clear();
      for (const run of endings) run();
    },
  };
}
