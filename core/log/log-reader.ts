import type { Env } from '../process/env.ts';
import { type FatalError, RetryableError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { CursorCommits } from './cursor-commits.ts';
import { CursorFile, readSlots } from './cursor-file.ts';
import { hasCode } from './disk-errors.ts';
import { foreignCursorFileName } from './foreign-cursors.ts';
import type { LogBus } from './log-bus.ts';
import { Quarantine } from './quarantine.ts';
import { SegmentFollower } from './segment-follower.ts';
import { ReadBudget, readRecords } from './segment-reader.ts';

export interface LogReaderOptions {
  /** The only reader that may commit here. As long as its cursor file is there it holds back deletion. */
  readonly reader: string;
  /** How often the files are looked at while nothing new is there; default 50. */
  readonly pollMs?: number | undefined;
  readonly log: Log;
  readonly onFatal?: ((error: FatalError) => void) | undefined;
}

export type LogReader = Pick<LogBus, 'id' | 'read' | 'cursor' | 'commit' | 'close'>;

/**
 * Reads the log in folder `dir` that another process of this host writes. Records are synced before they are handed out, so a power
 * cut cannot take back what was read. Throws RetryableError `log.notThere` when the writer has not made the log yet.
 */
export async function openLogReader(env: Env, dir: string, options: LogReaderOptions): Promise<LogReader> {
  const id = await readLogId(env, dir);
  const cursors = await CursorFile.open(env.disk, dir, foreignCursorFileName(options.reader), id, () =>
    options.log.error({ dir, reader: options.reader }, 'The cursor of a log reader is damaged; it starts again from the oldest record.'),
  );
  const quarantine = new Quarantine(env.disk, dir, options.log, await env.disk.readDir(dir));
  const follower = new SegmentFollower(env.disk, dir);
  const commits = new CursorCommits({
    file: cursors,
    clock: env.clock,
    delayMs: 0,
    onDurable: () => undefined,
    onFatal: (error) => options.onFatal?.(error),
  });
  const pollMs = options.pollMs ?? 50;
  const closing = new AbortController();
  let refreshing: Promise<void> | undefined;
  let closed: Promise<void> | undefined;

  /** Reads that overlap share one look at the files. */
  const refresh = (): Promise<void> => {
    refreshing ??= follower.refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  const readOnce = async (index: number, budget: ReadBudget): Promise<void> => {
    if (index >= follower.endIndex) {
      await refresh();
    }
    try {
      await readRecords(follower.segments, index, budget, quarantine);
    } catch (error) {
      if (!(error instanceof RetryableError && hasCode(error.cause, 'ENOENT'))) {
        throw error;
      }
      await refresh();
      if (budget.records.length === 0) {
        await readOnce(index, budget);
      }
    }
  };

  return {
    id,
    async read(index, { maxRecords, maxBytes, waitMs, signal }) {
      const deadlineMs = env.clock.monotonic() + waitMs;
      if (closed !== undefined) {
        throw new RetryableError('log.closed', `${dir}: the log is closed`);
      }
      for (;;) {
        signal?.throwIfAborted();
        const budget = new ReadBudget(maxRecords, maxBytes);
        await readOnce(index, budget);
        const leftMs = deadlineMs - env.clock.monotonic();
        if (budget.records.length > 0 || leftMs <= 0 || closing.signal.aborted) {
          return budget.records;
        }
        await env.clock.sleep(Math.min(pollMs, leftMs), signal);
      }
    },
    cursor: (reader) => cursors.get(reader),
    commit: (reader, next) =>
      reader === options.reader
        ? commits.commit(reader, next)
        : Promise.reject(new RangeError(`${dir}: opened for the reader ${options.reader}, ${reader} cannot commit here`)),
    close() {
      closed ??= (async () => {
        closing.abort();
        await commits.close();
        await refreshing;
        await follower.segments.closeAll();
        await cursors.close();
      })();
      return closed;
    },
  };
}

async function readLogId(env: Env, dir: string): Promise<string> {
  try {
    const file = await env.disk.open(`${dir}/cursors`, 'read');
    try {
      const id = (await readSlots(file))?.logId;
      if (id !== undefined) {
        return id;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) {
      throw error;
    }
  }
  throw new RetryableError('log.notThere', `${dir}: no log here yet; start the process that writes it`);
}
