/**
 * The log between processes and roles, as promises.
 *
 * A log is a sequence of records; each has an index (0, 1, 2 … up to 2^53, never reused, never reordered).
 * Two implementations of the same promises can exist: segment files on this host, or a replicated log.
 */
export interface LogRecord {
  readonly index: number;
  /** A view that stays valid; it does not alias a buffer that is written again. */
  readonly payload: Uint8Array;
}

export interface LogBus {
  /** Made with the log; another id means another numbering. */
  readonly id: string;

  /**
   * Appends one record. Resolves with its index when the record is durable (group commit): a power cut after that
   * keeps it. Calls may overlap; indexes follow the order of calls. Rejects with a RetryableError `log.diskFull` when
   * there is no room on the disk and `log.quota` when there is none in the log (nothing of the record is kept), and with a
   * FatalError when the disk failed to sync.
   */
  append(payload: Uint8Array): Promise<number>;

  /**
   * The next records at or after `index`, in order, durable ones only; at most `maxRecords` and about `maxBytes`
   * (always at least one). Resolves at once with what is there; with [] when nothing came within `waitMs`.
   * Records that were evicted or quarantined are left out: the first index returned can be above `index`.
   */
  read(index: number, options: ReadOptions): Promise<readonly LogRecord[]>;

  /** The named reader's durable cursor: the index it reads next. 0 for a new reader. */
  cursor(reader: string): number;

  /** Everything below `next` is done with for `reader`. Durable before a segment is deleted because of it. Never goes back. */
  commit(reader: string, next: number): Promise<void>;

  stats(): LogStats;

  /** Flushes, then closes. Idempotent. `append` afterwards rejects. */
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface LogStats {
  /** First index that is still there. */
  readonly firstIndex: number;
  /** Index that the next durable record gets. */
  readonly nextIndex: number;
  readonly bytes: number;
  /** Bytes that the log may have. */
  readonly quotaBytes: number;
  /** Since when appends are refused because the disk or the log is full, ms UTC; null when the last one was taken. */
  readonly fullSinceMs: number | null;
  readonly segments: number;
  /** Records given up because of a quota, since the log was opened. */
  readonly evictedRecords: number;
  /** Bytes cut off its end when it was opened: a batch that was never acknowledged, or the newest records, damaged. */
  readonly cutBytes: number;
  /** Records lost to corruption, since the log was opened. */
  readonly quarantinedRecords: number;
  readonly syncs: number;
}

/** What a reader needs of a log: this process's own, or one that another process writes. `stats` is as of the last look at it. */
export interface LogSource extends Pick<LogBus, 'id' | 'read' | 'cursor' | 'commit'> {
  stats(): Pick<LogStats, 'firstIndex' | 'nextIndex' | 'bytes'>;
}
