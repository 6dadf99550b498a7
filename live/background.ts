import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';

/** A value that is made in the background: who reads it never waits for it. */
export interface Background<Value> {
  /** The newest value, undefined before there is one. When it is old, a new one is begun. */
  read(): Value | undefined;
  /** Gives up what is being made. Idempotent. */
  stop(): Promise<void>;
}

export interface BackgroundDeps<Value> {
  readonly clock: Clock;
  readonly log: Log;
  /** In the log, e.g. `delivery`. */
  readonly what: string;
  /** From the end of one making to the begin of the next; also after a failure. */
  readonly everyMs: number;
  make(signal: AbortSignal): Promise<Value>;
}

export function createBackground<Value>({ clock, log, what, everyMs, make }: BackgroundDeps<Value>): Background<Value> {
  const stopping = new AbortController();
  let value: Value | undefined;
  let notBefore = Number.NEGATIVE_INFINITY;
  let making: Promise<void> | undefined;
  let hasFailed = false;

  async function refresh(): Promise<void> {
    try {
      value = await make(stopping.signal);
      if (hasFailed) log.info({ what }, 'Figures are up to date again');
      hasFailed = false;
    } catch (error) {
      if (!hasFailed && !stopping.signal.aborted) log.warn({ err: error, what }, 'Figures cannot be brought up to date; the old ones stay');
      hasFailed = true;
    }
    notBefore = clock.monotonic() + everyMs;
    making = undefined;
  }

  return {
    read() {
      if (making === undefined && !stopping.signal.aborted && clock.monotonic() >= notBefore) making = refresh();
      return value;
    },
    async stop() {
      stopping.abort();
      await making;
    },
  };
}
