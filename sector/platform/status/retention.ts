import type { Clock, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { MachineStates } from './machine-states.ts';

/** Deletes machine states whose time is over or whose consent was taken back. */
export interface Retention {
  /** Once now, then every hour. */
  start(): void;
  /** Waits for what runs. Idempotent. */
  stop(): Promise<void>;
}

const everyMs = 3_600_000;

export function createRetention(
  states: Pick<MachineStates, 'prune'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Retention {
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let isFailing = false;
  let isStopped = false;

  async function prune(): Promise<void> {
    try {
      const deleted = await states.prune();
      if (deleted > 0) log.info({ deleted }, 'Machine states were deleted: their time is over or consent was taken back');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error({ err: error }, 'Machine states that are over cannot be deleted: it is tried again every hour');
      isFailing = true;
    }
    if (!isStopped) timer = clock.after(everyMs, run);
  }
  const run = (): void => {
    running = prune();
  };

  return {
    start: run,
    async stop() {
      isStopped = true;
      timer?.cancel();
      await running;
    },
  };
}
