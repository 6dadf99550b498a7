import type { Env } from '../process/env.ts';
import type { Log } from '../process/log.ts';
import { hasCode } from './disk-errors.ts';
import type { LogRecord } from './log-bus.ts';
import { planDeletion, type RetentionLimits } from './retention.ts';
import type { SegmentSet } from './segment-set.ts';

export interface EvictedRange {
  readonly fromIndex: number;
  /** Exclusive. */
  readonly toIndex: number;
}

/** Told before unread records go; they go when it resolves. `read` answers the next records at or after an index, [] when there is none. */
export type OnEvicted = (range: EvictedRange, read: (index: number) => Promise<readonly LogRecord[]>) => Promise<void>;

type Trigger = 'open' | 'newSegment' | 'cursor' | 'refusal';

interface CleanerDeps {
  readonly env: Env;
  readonly dir: string;
  readonly log: Log;
  readonly segments: SegmentSet;
  readonly limits: RetentionLimits;
  /** Every reader is done with the records below. */
  readonly doneBelow: () => Promise<number>;
  readonly read: (index: number) => Promise<readonly LogRecord[]>;
  readonly onEvicted: OnEvicted | undefined;
}

/** How long a refusal stands before the files are looked at again; a cursor that moves in this process ends it at once. */
const refusalMs = 50;

/** Deletes segments, one pass at a time. What a pass could not delete comes back at the next one. */
export class Cleaner {
  evictedRecords = 0;

  private readonly deps: CleanerDeps;
  private isEvicting = false;
  private isHeldBack = false;
  private refusedUntilMs = Number.NEGATIVE_INFINITY;
  private passes: Promise<void> = Promise.resolve();

  constructor(deps: CleanerDeps) {
    this.deps = deps;
  }

  /** Resolves after the pass. Never rejects. */
  schedule(trigger: Trigger, neededBytes = 0): Promise<void> {
    if (trigger === 'cursor') {
      this.refusedUntilMs = Number.NEGATIVE_INFINITY;
    }
    this.passes = this.passes
      .then(() => this.pass(trigger, neededBytes))
      .catch((error: unknown) => {
        this.deps.log.warn({ err: error, dir: this.deps.dir }, 'Old log segments could not be deleted.');
      });
    return this.passes;
  }

  /** Resolves when no pass is under way. */
  idle(): Promise<void> {
    return this.passes;
  }

  /** Tries to bring the log down to `maxBytes` less `neededBytes`; true when it is. */
  async makeRoom(neededBytes: number): Promise<boolean> {
    const { env, segments, limits } = this.deps;
    const hasRoom = (): boolean => segments.bytes + neededBytes <= limits.maxBytes;
    if (!hasRoom() && env.clock.monotonic() >= this.refusedUntilMs) {
      this.refusedUntilMs = env.clock.monotonic() + refusalMs;
      await this.schedule('refusal', neededBytes);
    }
    return hasRoom();
  }

  private async pass(trigger: Trigger, neededBytes: number): Promise<void> {
    const { env, dir, log, segments, limits } = this.deps;
    if (segments.list.length < 2) {
      return;
    }
    const asked = { ...limits, maxBytes: limits.maxBytes - neededBytes };
    const { count, evicted } = planDeletion(segments.list, await this.deps.doneBelow(), env.clock.now(), asked);
    if (evicted !== undefined) {
      if (!(await this.tell(evicted))) {
        return;
      }
      this.evictedRecords += evicted.toIndex - evicted.fromIndex;
      if (!this.isEvicting) {
        log.warn({ dir, ...evicted }, 'The log is over its quota; its oldest records are given up unread.');
      }
      this.isEvicting = true;
    } else if (this.isEvicting && trigger === 'newSegment') {
      log.info({ dir }, 'The log is within its quota again.');
      this.isEvicting = false;
    }
    for (const segment of segments.takeOldest(count)) {
      await segment.retire();
      await env.disk.unlink(segment.path).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) {
          log.warn({ err: error, file: segment.path }, 'A log segment that is no longer needed could not be deleted.');
        }
      });
    }
    if (count > 0) {
      await env.disk.syncDir(dir);
    }
  }

  /** True when whoever counts the loss has counted it. */
  private async tell(evicted: EvictedRange): Promise<boolean> {
    const { dir, log, read, onEvicted } = this.deps;
    try {
      await onEvicted?.(evicted, read);
      this.isHeldBack = false;
      return true;
    } catch (error) {
      if (!this.isHeldBack) {
        log.warn(
          { err: error, dir, ...evicted },
          'The log is over its quota, but what would be given up could not be counted; it is kept.',
        );
      }
      this.isHeldBack = true;
      return false;
    }
  }
}
