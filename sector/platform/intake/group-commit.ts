import type { Clock } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import type { Candidate, Outcome } from '../store/candidate.ts';

export interface GroupCommitOptions {
  /** How long the first of a group waits for others when nothing is being written, ms. */
  readonly lingerMs: number;
  readonly maxGroup: number;
  /** Waiting reports; more are refused with RetryableError `sector.busy`. */
  readonly maxWaiting: number;
}

export interface GroupCommit {
  /** Resolves when the report is on disk, or is refused by the rules of its series. */
  submit(candidate: Candidate): Promise<Outcome>;
  waiting(): number;
  /** Waits until everything submitted is settled; refuses what comes after. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly candidate: Candidate;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Collects reports that arrive together into one transaction: one fsync for all. While one group is written, the next one collects. Of each
 * series a group has one report: the second sees what the first one left. When the database refuses a group for what is in it, each of
 * its reports is tried alone: one takes no other with it.
 */
export function createGroupCommit(
  commit: (group: readonly Candidate[]) => Promise<readonly Outcome[]>,
  clock: Pick<Clock, 'after'>,
  { lingerMs, maxGroup, maxWaiting }: GroupCommitOptions,
): GroupCommit {
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;
  let isStopped = false;

  function takeGroup(): readonly Waiting[] {
    const seen = new Set<string>();
    const group: Waiting[] = [];
    const rest: Waiting[] = [];
    for (const each of queue) {
      const { seriesKey } = each.candidate;
      // Whoever comes behind one that waits must wait too: order is kept within a series.
      if (group.length < maxGroup && !seen.has(seriesKey)) group.push(each);
      else rest.push(each);
      seen.add(seriesKey);
    }
    queue = rest;
    return group;
  }

  async function settle(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await commit(group.map(({ candidate }) => candidate));
      for (const [i, each] of group.entries()) each.resolve(outcomes[i] as Outcome);
    } catch (error) {
      const [only] = group;
      if (group.length === 1) only?.reject(error);
      else if (isRefusedByData(error)) for (const each of group) await settle([each]);
      else for (const each of group) each.reject(error);
    }
  }

  async function run(): Promise<void> {
    if (lingerMs > 0) await new Promise<void>((resolve) => void clock.after(lingerMs, resolve));
    while (queue.length > 0) await settle(takeGroup());
    running = undefined;
  }

  return {
    submit(candidate) {
      if (isStopped || queue.length >= maxWaiting) {
        const reason = isStopped ? 'The server is stopping' : 'Too many reports at once';
        return Promise.reject(new RetryableError('sector.busy', `${reason}: send it again in a few seconds.`, { retryAfterMs: 2000 }));
      }
      return new Promise((resolve, reject) => {
        queue.push({ candidate, resolve, reject });
        running ??= run();
      });
    },
    waiting: () => queue.length,
    async stop() {
      isStopped = true;
      while (running !== undefined) await running;
    },
  };
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint): not the connection, not the disk. */
function isRefusedByData(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]...$/.test(error.code);
}
