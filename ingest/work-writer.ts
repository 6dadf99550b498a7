import type { LogBus, LogSource } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { Checkpoint, SampleStore } from '@nhip/stores/history-store';
import { keepRefused } from './refused.ts';
import type { Work } from './work.ts';

/** Name of ingest's cursor in the broker's log: what is below it may be deleted. */
export const ingestReader = 'ingest';

export interface WorkWriterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logBus: LogSource;
  readonly store: SampleStore;
  readonly deadLetters: Pick<LogBus, 'append'>;
  /** Aborts when the role stops. */
  readonly signal: AbortSignal;
}

export interface WorkWriter {
  /**
   * Makes work durable, in this order: dead letters, samples with their losses and checkpoint, cursor of the log. Tries until it works
   * or the role stops: nothing is given up because a store is down. Resolves with whether the work is in the store; after
   * `false` nothing later may be written, or the checkpoint would jump over this work. Never rejects.
   */
  write(work: Work, checkpoint: Checkpoint): Promise<boolean>;
  /** Why and since when nothing can be written; null when the last attempt was well. */
  down(): StoreDown | null;
}

/** What is wrong with a store that takes nothing. */
export interface StoreDown {
  /** ms UTC. */
  readonly sinceMs: number;
  /** Code of the last error, e.g. `store.diskFull`; `other` when it has none. */
  readonly code: string;
  /** What it says, and what to do about it. */
  readonly text: string;
}

const maxTextLength = 400;

const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** However long a store asks to be left alone. */
const longestAskedMs = 300_000;

export function createWorkWriter(deps: WorkWriterDeps): WorkWriter {
  const { clock, log, logBus, store, signal } = deps;
  let isCursorStuck = false;
  let down: StoreDown | null = null;

  /** A letter that is on disk leaves the list, so that the next try does not write it again. */
  async function keepLetters(work: Work): Promise<void> {
    const { letters } = work;
    if (letters.length === 0) return;
    const results = await Promise.allSettled(letters.map((letter) => deps.deadLetters.append(letter)));
    work.letters = letters.filter((_, i) => results[i]?.status === 'rejected');
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A write that was answered with an error may have been done all the same; the checkpoint tells. */
  async function isStored(checkpoint: Checkpoint): Promise<boolean> {
    const found = await store.open();
    return found?.nextIndex === checkpoint.nextIndex && Buffer.compare(found.repeats, checkpoint.repeats) === 0;
  }

  function tryStore(work: Work, checkpoint: Checkpoint): Promise<void> {
    work.refused = 0;
    work.refusedAgain = 0;
    return store.write({
      batch: work.batch,
      losses: work.losses.list(),
      checkpoint,
      keepRefused: (refused) => keepRefused(work, refused, { clock, sourceLog: logBus.id, deadLetters: deps.deadLetters }),
    });
  }

  async function storeForEver(work: Work, checkpoint: Checkpoint): Promise<boolean> {
    let wasTried = false;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await keepLetters(work);
        const isDone = wasTried && (await isStored(checkpoint));
        wasTried = true;
        if (!isDone) await tryStore(work, checkpoint);
        if (down !== null) log.info({ store: store.name }, 'Batches are stored again');
        down = null;
        return true;
      } catch (error) {
        const { code, text } = problemOf(error);
        // A new cause may ask for something else to be done.
        if (down?.code !== code) log.error({ err: error, store: store.name }, 'A batch could not be stored, trying until it can');
        down = { sinceMs: down?.sinceMs ?? clock.now(), code, text };
        if (signal.aborted) return false;
        await clock.sleep(Math.max(pauseMs, askedPauseMs(error)), signal).catch(() => undefined);
      }
    }
  }

  /** Only holds the log's space: where to go on is in the store, so a cursor that stays behind costs nothing else. */
  async function moveCursor(nextIndex: number): Promise<void> {
    try {
      await logBus.commit(ingestReader, nextIndex);
      isCursorStuck = false;
    } catch (error) {
      if (!isCursorStuck) log.warn({ err: error }, 'The cursor could not be moved; the log keeps what is stored until it can');
      isCursorStuck = true;
    }
  }

  return {
    async write(work, checkpoint) {
      const isDone = await storeForEver(work, checkpoint);
      if (isDone) await moveCursor(checkpoint.nextIndex);
      return isDone;
    },
    down: () => down,
  };
}

/** What a busy store asks for (Retry-After). */
function askedPauseMs(error: unknown): number {
  const askedMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(askedMs, longestAskedMs);
}

/** What is wrong with a store. The code becomes a label, so it is one of our own, which are few, or `other`. */
export function problemOf(error: unknown): Pick<StoreDown, 'code' | 'text'> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { code: /^(store|log)\.[A-Za-z]{1,40}$/.test(code) ? code : 'other', text: reasonOf(error).slice(0, maxTextLength) };
}
