import type { Clock, Timer } from './env.ts';

/** setTimeout fires at once above this; longer delays are waited for in steps. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's clock and timers. A pending timer keeps the process alive until it fired or was cancelled. */
export function createNodeClock(): Clock {
  const after = (delayMs: number, run: () => void): Timer => {
    let handle: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const stepMs = Math.min(remainingMs, longestTimeoutMs);
      handle = setTimeout(() => (stepMs < remainingMs ? arm(remainingMs - stepMs) : run()), stepMs);
    };
    arm(Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  };
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after,
    sleep: (delayMs, signal) => sleepWith(after, delayMs, signal),
  };
}

/** `Clock.sleep` on top of a clock's `after`; shared with the virtual clock. */
export function sleepWith(after: Clock['after'], delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
