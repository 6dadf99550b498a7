import { RetryableError } from '@nhip/core/process/errors';

/** Lets a bounded number of jobs run at once and a bounded number wait. */
export interface Gate {
  /** Runs the job when its turn comes. Rejects at once with a RetryableError `live.busy` when the queue is full. */
  run<Result>(job: () => Promise<Result>): Promise<Result>;
  stats(): GateStats;
}

export interface GateStats {
  readonly running: number;
  readonly waiting: number;
  /** Since the start: rejected because the queue was full. */
  readonly refused: number;
}

export interface GateLimits {
  readonly atOnce: number;
  readonly queued: number;
}

export function createGate(what: string, { atOnce, queued }: GateLimits): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;
  let refused = 0;
  return {
    async run(job) {
      if (running >= atOnce) {
        if (waiting.length >= queued) {
          refused += 1;
          throw new RetryableError('live.busy', `Too many ${what} at the same time: try again in a few seconds.`, { retryAfterMs: 2000 });
        }
        // The job that ends hands its place over, so `running` stays as it is.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running += 1;
      try {
        return await job();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
    stats: () => ({ running, waiting: waiting.length, refused }),
  };
}
