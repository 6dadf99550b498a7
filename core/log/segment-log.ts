/**
 * The durable log in segment files on this host. README.md beside this file says what it promises; here is who does what:
 * `recovery` reads the folder, `segment-writer` appends, `segment-reader` reads, `cursor-file` keeps the readers' places,
 * `retention` decides what may be deleted.
 */
import type { Env } from '../process/env.ts';
import { type FatalError, RetryableError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { CursorCommits } from './cursor-commits.ts';
import { CursorFile } from './cursor-file.ts';
import { hasCode } from './disk-errors.ts';
import { foreignCursors } from './foreign-cursors.ts';
import type { LogBus } from './log-bus.ts';
import { recoverLog } from './recovery.ts';
import { planDeletion, type RetentionLimits } from './retention.ts';
import { ReadBudget, readRecords } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';
import { WakeUp } from './wake-up.ts';

const mebibyte = 1024 * 1024;

export interface SegmentLogOptions extends RetentionLimits {
  /** Size at which a new file is begun; default 8 MiB, at most 64 MiB and a quarter of `maxBytes`. */
  readonly segmentBytes?: number | undefined;
  /** How long the first record of a batch waits for company; default 2. 0: as soon as the previous sync is done. */
  readonly commitDelayMs?: number | undefined;
  /** How long a cursor waits for company; default 0. */
  readonly cursorDelayMs?: number | undefined;
  /** Bytes of appends that may wait for the disk; default 64 MiB. More reject with a RetryableError `log.busy`. */
  readonly maxPendingBytes?: number | undefined;
  /** Readers whose cursors hold back deletion. Without any, only the quota deletes. */
  readonly readers: readonly string[];
  readonly log: Log;
  /** Records [fromIndex, toIndex) were given up unread because of the quota. Called before their file goes. */
  readonly onEvicted?: ((fromIndex: number, toIndex: number) => void) | undefined;
  /** The log is dead: the process must end, a restart reads back what the disk really holds. */
  readonly onFatal?: ((error: FatalError) => void) | undefined;
}

/**
 * Opens the log in folder `dir` of `env.disk`, or begins a new one there. Only one process at a time may do so. No content of the
 * files makes it fail, except a sound segment of a newer format (FatalError `log.newerFormat`); disk errors do.
 * A payload must not be changed until its append has settled.
 */
export async function openSegmentLog(env: Env, dir: string, options: SegmentLogOptions): Promise<LogBus> {
  await env.disk.makeDir(dir);
  const { segments, quarantine, nextIndex, id } = await recoverLog(env.disk, dir, options.log);
  const newId = id ?? Buffer.from(env.random.bytes(16)).toString('hex');
  const cursors = await CursorFile.open(env.disk, dir, 'cursors', newId, () =>
    options.log.error({ dir }, 'The cursors of the log are damaged; its readers start again from the oldest record.'),
  );
  const lowestNextIndex = Math.max(nextIndex, ...(await foreignCursors(env.disk, dir)).values());
  const wakeUp = new WakeUp(env.clock);
  let evictedRecords = 0;
  let evicting = false;
  let cleaning: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;

  const clean = async (trigger: 'open' | 'newSegment' | 'cursor'): Promise<void> => {
    if (segments.list.length < 2) {
      return;
    }
    const foreign = await foreignCursors(env.disk, dir);
    const holding = [...options.readers.map((reader) => cursors.get(reader)), ...foreign.values()];
    const doneBelow = holding.length === 0 ? 0 : Math.min(...holding);
    const { count, evicted } = planDeletion(segments.list, doneBelow, env.clock.now(), options);
    if (evicted !== undefined) {
      evictedRecords += evicted.toIndex - evicted.fromIndex;
      if (!evicting) {
        options.log.warn({ dir, ...evicted }, 'The log is over its quota; its oldest records are given up unread.');
      }
      options.onEvicted?.(evicted.fromIndex, evicted.toIndex);
      evicting = true;
    } else if (evicting && trigger === 'newSegment') {
      options.log.info({ dir }, 'The log is within its quota again.');
      evicting = false;
    }
    for (const segment of segments.takeOldest(count)) {
      await segment.retire();
      await env.disk.unlink(segment.path).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) {
          options.log.warn({ err: error, file: segment.path }, 'A log segment that is no longer needed could not be deleted.');
        }
      });
    }
    if (count > 0) {
      await env.disk.syncDir(dir);
    }
  };
  /** One pass at a time. What it could not delete comes back at the next start, where it is deleted again. */
  const scheduleCleaning = (trigger: 'open' | 'newSegment' | 'cursor'): void => {
    cleaning = cleaning
      .then(() => clean(trigger))
      .catch((error: unknown) => {
        options.log.warn({ err: error, dir }, 'Old log segments could not be deleted.');
      });
  };

  const writer = new SegmentWriter(writerOptions(options), {
    env,
    dir,
    logId: cursors.logId,
    segments,
    lowestNextIndex: () => Math.max(lowestNextIndex, cursors.highest),
    onDurable: () => wakeUp.wakeAll(),
    onNewSegment: () => scheduleCleaning('newSegment'),
    onFatal: (error) => die(error),
  });
  const commits = new CursorCommits({
    file: cursors,
    clock: env.clock,
    delayMs: options.cursorDelayMs ?? 0,
    onDurable: () => scheduleCleaning('cursor'),
    onFatal: (error) => die(error),
  });
  let isDead = false;
  const die = (error: FatalError): void => {
    writer.end(error);
    if (!isDead) {
      isDead = true;
      options.onFatal?.(error);
    }
  };

  scheduleCleaning('open');
  await cleaning;
  return {
    id: cursors.logId,
    append: (payload) => writer.append(payload),

    async read(index, { maxRecords, maxBytes, waitMs, signal }) {
      const deadlineMs = env.clock.monotonic() + waitMs;
      for (;;) {
        signal?.throwIfAborted();
        if (closed !== undefined) {
          throw new RetryableError('log.closed', `${dir}: the log is closed`);
        }
        const budget = new ReadBudget(maxRecords, maxBytes);
        const seenIndex = writer.nextIndex;
        if (index < seenIndex) {
          await readRecords(segments, index, budget, quarantine);
        }
        if (budget.records.length > 0) {
          return budget.records;
        }
        const leftMs = deadlineMs - env.clock.monotonic();
        if (leftMs <= 0) {
          return [];
        }
        if (writer.nextIndex === seenIndex) {
          await wakeUp.wait(leftMs, signal);
          if (closed !== undefined) {
            return [];
          }
        }
      }
    },

    cursor: (reader) => cursors.get(reader),
    commit: (reader, next) => commits.commit(reader, next),

    stats: () => ({
      firstIndex: segments.list[0]?.firstIndex ?? writer.nextIndex,
      nextIndex: writer.nextIndex,
      bytes: segments.bytes,
      segments: segments.list.length,
      evictedRecords,
      quarantinedRecords: quarantine.lostRecords,
      syncs: writer.syncs,
    }),

    close() {
      closed ??= (async () => {
        await writer.close();
        await commits.close();
        wakeUp.wakeAll();
        await cleaning;
        await segments.closeAll();
        await cursors.close();
      })();
      return closed;
    },
  };
}

function writerOptions(options: SegmentLogOptions): { segmentBytes: number; commitDelayMs: number; maxPendingBytes: number } {
  return {
    segmentBytes: Math.min(options.segmentBytes ?? 8 * mebibyte, 64 * mebibyte, Math.max(4096, Math.floor(options.maxBytes / 4))),
    commitDelayMs: options.commitDelayMs ?? 2,
    maxPendingBytes: options.maxPendingBytes ?? 64 * mebibyte,
  };
}
