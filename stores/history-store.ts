import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';

/**
 * The history store: where samples end up, as promises. One writer; any number of readers in the same process.
 */
export interface HistoryStore {
  readonly name: string;
  /** D3: data and checkpoint in one transaction. D2: fsynced before the reply. D1: durable `delayMs` after the reply. */
  readonly durability: { readonly class: 'D3' | 'D2' | 'D1'; readonly delayMs: number };

  /**
   * Opens or creates the store and resolves with the last checkpoint, `undefined` for a new store. On a store that is open it
   * only reads the checkpoint: so a writer learns what became of a write that was answered with an error.
   */
  open(): Promise<Checkpoint | undefined>;

  /**
   * Writes samples and the checkpoint that they lead to. Resolves when both are durable by the declared class.
   * Never called concurrently. On rejection nothing or everything was written; writing the same batch again is allowed.
   */
  write(batch: SampleBatch, checkpoint: Checkpoint): Promise<void>;

  /** Series known so far: machine and metric by series id. */
  series(): readonly SeriesInfo[];

  /** The sample with the highest (time, tie-break) of every series. */
  latest(): Promise<readonly LatestValue[]>;

  /** Raw samples in [fromMs, toMs), oldest first, at most `limit`. */
  range(query: RangeQuery): Promise<Columns>;

  /** The last sample before `atMs`, if any. */
  lastBefore(machine: string, metric: string, atMs: number): Promise<{ readonly t: number; readonly v: Value } | undefined>;

  /**
   * What held and what changed, for many series at once: for each asked series, in the order asked, the last sample before
   * `fromMs`, if any, then those in [fromMs, toMs), oldest first. Rejects with a PermanentError `store.tooManySamples` when there
   * are more than `limit` of all together.
   */
  changes(series: readonly SeriesName[], fromMs: number, toMs: number, limit: number): Promise<readonly Columns[]>;

  /** Buckets of `everyMs` aligned to multiples of it, of numeric samples in [fromMs, toMs); empty buckets are left out. */
  buckets(query: RangeQuery & { readonly everyMs: number }): Promise<Buckets>;

  /** Closes after the running write. Idempotent. */
  close(): Promise<void>;
}

/** What ingest must remember with the data. */
export interface Checkpoint {
  /** Index of the log record that is read next. */
  readonly nextIndex: number;
  /** Decoder state (births, aliases) at that point; opaque to the store. The same object as long as it did not change. */
  readonly decoder: Uint8Array;
  /** Which samples of which outbox were stored (small; changes with every batch); opaque to the store. */
  readonly repeats: Uint8Array;
}

export interface SeriesName {
  readonly machine: string;
  readonly metric: string;
}

export interface SeriesInfo extends SeriesName {
  readonly id: number;
}

export interface LatestValue extends SeriesInfo {
  readonly t: number;
  readonly v: Value;
  readonly q: number;
}

export interface RangeQuery {
  readonly machine: string;
  readonly metric: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
}

/** Columnar: the same length, oldest first. `t` in ms UTC. */
export interface Columns {
  readonly t: readonly number[];
  readonly v: readonly Value[];
  readonly q: readonly number[];
}

export interface Buckets {
  readonly t: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly avg: readonly number[];
  readonly last: readonly number[];
  readonly count: readonly number[];
}
