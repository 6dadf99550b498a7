/**
 * The durable log in segment files on this host. README.md beside this file says what it promises; here is who does what:
 * `recovery` reads the folder, `segment-writer` appends, `segment-reader` reads, `cursor-file` keeps the readers' places,
 * `retention` decides what may be deleted, `cleaner` deletes it.
 */
import type { Env } from '../process/env.ts';
import { type FatalError, RetryableError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { Cleaner, type OnEvicted } from './cleaner.ts';
import { CursorCommits } from './cursor-commits.ts';
import { CursorFile } from './cursor-file.ts';
import { foreignCursors } from './foreign-cursors.ts';
import type { LogBus, LogRecord } from './log-bus.ts';
import { recoverLog } from './recovery.ts';
import type { RetentionLimits } from './retention.ts';
import { ReadBudget, readRecords } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';
import { WakeUp } from './wake-up.ts';

const mebibyte = 1024 * 1024;
/** What is read at a time of records that are to be given up. */
const evictedReadRecords = 256;
const evictedReadBytes = 256 * 1024;

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
  /**
   * What becomes of records that a reader still wants when the log is over `maxBytes` or they are over `maxAgeMs`. `evict` (default):
   * the oldest are given up. `refuse`: nothing unread is given up, appends beyond `maxBytes` reject with a RetryableError `log.quota`
   * until readers have made room; the kept tail goes first.
   */
  readonly whenFull?: 'evict' | 'refuse' | undefined;
  /**
   * Unread records are about to be given up. Their files go only after it resolved; when it rejects nothing is deleted and it is
   * called again at the next occasion, perhaps with a longer range. It is called before `openSegmentLog` resolves when the log is over
   * its quota from the start, and must not wait for that.
   */
  readonly onEvicted?: OnEvicted | undefined;
  /**
   * Called when appends are refused because of a full disk or the quota, before their promises reject. Every append that was called
   * before this is refused or durable by then: what is kept has no hole after it.
   */
  readonly onRefused?: (() => void) | undefined;
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
  const { segments, quarantine, nextIndex, cutBytes, id } = await recoverLog(env.disk, dir, options.log);
  const newId = id ?? Buffer.from(env.random.bytes(16)).toString('hex');
  const cursors = await CursorFile.open(env.disk, dir, 'cursors', newId, () =>
    options.log.error({ dir }, 'The cursors of the log are damaged; its readers start again from the oldest record.'),
  );
  const lowestNextIndex = Math.max(nextIndex, ...(await foreignCursors(env.disk, dir)).values());
  const wakeUp = new WakeUp(env.clock);
  let closed: Promise<void> | undefined;
  const doneBelow = async (): Promise<number> => {
    const foreign = await foreignCursors(env.disk, dir);
    const holding = [...options.readers.map((reader) => cursors.get(reader)), ...foreign.values()];
    return holding.length === 0 ? 0 : Math.min(...holding);
  };
  const readNow = async (index: number, maxRecords: number, maxBytes: number): Promise<readonly LogRecord[]> => {
    const budget = new ReadBudget(maxRecords, maxBytes);
    await readRecords(segments, index, budget, quarantine);
    return budget.records;
  };
  const cleaner = new Cleaner({
    env,
    dir,
    log: options.log,
    segments,
    limits: options,
    doneBelow,
    read: (index) => readNow(index, evictedReadRecords, evictedReadBytes),
    onEvicted: options.onEvicted,
  });

  let fullSinceMs: number | null = null;
  const writer = new SegmentWriter(writerOptions(options), {
    env,
    dir,
    logId: cursors.logId,
    segments,
    lowestNextIndex: () => Math.max(lowestNextIndex, cursors.highest),
    onDurable: () => {
      fullSinceMs = null;
      wakeUp.wakeAll();
    },
    onNewSegment: () => void cleaner.schedule('newSegment'),
    quota: options.whenFull === 'refuse' ? { maxBytes: options.maxBytes, makeRoom: (bytes) => cleaner.makeRoom(bytes) } : undefined,
    onRefused: () => {
      fullSinceMs ??= env.clock.now();
      options.onRefused?.();
    },
    onFatal: (error) => die(error),
  });
  const commits = new CursorCommits({
    file: cursors,
    clock: env.clock,
    delayMs: options.cursorDelayMs ?? 0,
    onDurable: () => void cleaner.schedule('cursor'),
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

  await cleaner.schedule('open');
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
        const seenIndex = writer.nextIndex;
        const records = index < seenIndex ? await readNow(index, maxRecords, maxBytes) : [];
        if (records.length > 0) {
          return records;
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
      quotaBytes: options.maxBytes,
      fullSinceMs,
      evictedRecords: cleaner.evictedRecords,
      cutBytes,
      quarantinedRecords: quarantine.lostRecords,
      syncs: writer.syncs,
    }),

    close() {
      closed ??= (async () => {
        await writer.close();
        await commits.close();
        wakeUp.wakeAll();
        await cleaner.idle();
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
