import type { LogRecord, LogSource } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';

export interface LogFollower {
  readonly logBus: LogSource;
  readonly clock: Clock;
  readonly log: Log;
  apply(record: LogRecord): void;
  /** After each read: where the next one begins. */
  onRead(next: number): void;
  /** The log cannot be read, or can be read again. */
  onBroken(isBroken: boolean): void;
}

/** Small enough that decoding one read never delays a tick noticeably. */
const readOptions = { maxRecords: 500, maxBytes: 256 * 1024, waitMs: 1000 };
const retryMs = 1000;

/** Reads the log from `from` on, for as long as the signal lasts. Never rejects: a log that cannot be read is tried again. */
export async function followLog(follower: LogFollower, from: number, signal: AbortSignal): Promise<void> {
  const { logBus, clock, log } = follower;
  let next = from;
  let isBroken = false;
  while (!signal.aborted) {
    try {
      const records = await logBus.read(next, { ...readOptions, signal });
      for (const record of records) {
        // First the place, then the record: one that cannot be applied must not be read for ever.
        next = record.index + 1;
        follower.apply(record);
      }
      if (isBroken) log.info('The live feed reads the log again');
      isBroken = false;
      follower.onBroken(false);
      follower.onRead(records.length === 0 ? Number.POSITIVE_INFINITY : next);
    } catch (error) {
      if (signal.aborted) return;
      if (!isBroken) log.error({ err: error, index: next }, 'The live feed cannot read the log; it keeps trying');
      isBroken = true;
      follower.onBroken(true);
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}
