import type { Clock } from '../process/env.ts';

/** Lets waiters sleep until something happened. */
export class WakeUp {
  private readonly clock: Clock;
  private readonly waiters = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  wakeAll(): void {
    for (const wake of [...this.waiters]) {
      wake();
    }
  }

  /** Resolves at the next `wakeAll` or after `waitMs`; rejects with the signal's reason when it aborts first. */
  wait(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        this.waiters.delete(wake);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const abort = (): void => {
        end();
        reject(signal?.reason);
      };
      const timer = this.clock.after(waitMs, wake);
      this.waiters.add(wake);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
