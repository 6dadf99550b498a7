import type { Env } from '../process/env.ts';
import { type FatalError, RetryableError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { CursorCommits } from './cursor-commits.ts';
import { CursorFile, readSlots } from './cursor-file.ts';
import { hasCode } from './disk-errors.ts';
import { foreignCursorFileName } from './foreign-cursors.ts';
import type { LogSource } from './log-bus.ts';
import { Quarantine } from './quarantine.ts';
import { SegmentFollower } from './segment-follower.ts';
import { ReadBudget, readRecords } from './segment-reader.ts';

/** Files go away rarely: the second look is nearly always whole. */
const looksAtOpen = 10;

export interface LogReaderOptions {
  /**
   * The only reader that may commit here. As long as its cursor file is there it holds back deletion. Absent: nobody commits, nothing is
   * written, and what is read late may be gone.
   */
  readonly reader?: string | undefined;
  /** How often the files are looked at while nothing new is there; default 50. */
  readonly pollMs?: number | undefined;
  readonly log: Log;
  readonly onFatal?: ((error: FatalError) => void) | undefined;
}

export interface LogReader extends LogSource {
  close(): Promise<void>;
}

/**
 * Reads the log in folder `dir` that another process of this host writes. Records are synced before they are handed out, so a power
 * cut cannot take back what was read. Throws RetryableError `log.notThere` when the writer has not made the log yet.
 */
export async function openLogReader(env: Env, dir: string, options: LogReaderOptions): Promise<LogReader> {
  const id = await readLogId(env, dir);
  const { reader } = options;
  const cursors = reader === undefined ? undefined : await openCursors(env, dir, id, reader, options.log);
  const quarantine = new Quarantine(env.disk, dir, options.log, await env.disk.readDir(dir));
  const follower = new SegmentFollower(env.disk, dir);
  const commits =
    cursors === undefined
      ? undefined
      : new CursorCommits({
          file: cursors,
          clock: env.clock,
          delayMs: 0,
          onDurable: () => undefined,
          onFatal: (error) => options.onFatal?.(error),
        });
  const pollMs = options.pollMs ?? 50;
  const closing = new AbortController();
  let refreshing: Promise<boolean> | undefined;
  let closed: Promise<void> | undefined;

  /** Reads that overlap share one look at the files. */
  const refresh = (): Promise<boolean> => {
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

  // Where the log ends must be known: a reader that seems to be beyond its end takes it for another log.
  for (let looks = 1; !(await refresh()); looks++) {
    if (looks >= looksAtOpen) {
      throw new RetryableError('log.notThere', `${dir}: the files of the log go away faster than they can be looked at; try again`);
    }
  }
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
    cursor: (name) => cursors?.get(name) ?? 0,
    commit: (name, next) =>
      commits !== undefined && name === reader
        ? commits.commit(name, next)
        : Promise.reject(new RangeError(`${dir}: opened for ${reader ?? 'nobody'} to commit, ${name} cannot`)),
    stats: () => ({
      firstIndex: follower.segments.list[0]?.firstIndex ?? 0,
      nextIndex: follower.endIndex,
      bytes: follower.segments.bytes,
    }),
    close() {
      closed ??= (async () => {
        closing.abort();
        await commits?.close();
        await refreshing;
        await follower.segments.closeAll();
        await cursors?.close();
      })();
      return closed;
    },
  };
}

function openCursors(env: Env, dir: string, id: string, reader: string, log: Log): Promise<CursorFile> {
  return CursorFile.open(env.disk, dir, foreignCursorFileName(reader), id, () =>
    log.error({ dir, reader }, 'The cursor of a log reader is damaged; it starts again from the oldest record.'),
  );
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
