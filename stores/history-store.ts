import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Loss, LossReason } from '@nhip/core/wire/loss';
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
   * Writes samples, losses and the checkpoint that they lead to. Resolves when all are durable by the declared class, but for the
   * samples that the store will never take: it finds them one by one, hands them to `keepRefused` and goes on with the rest.
   * Never called concurrently. On rejection nothing or everything was written (D3), or a part whose repetition is harmless (D2, D1);
   * writing the same again is allowed.
   */
  write(write: StoreWrite): Promise<void>;

  /** Losses reported in [fromMs, toMs) of their report time, newest first, at most `limit`. */
  losses(query: LossQuery): Promise<readonly Loss[]>;

  /**
   * What became of the samples whose time is in [fromMs, toMs), for the series of one machine: per metric and hour (UTC), empty
   * hours left out. Losses without a metric come under metric ''.
   */
  delivery(machine: string, fromMs: number, toMs: number): Promise<readonly DeliveryRow[]>;

  /** The same by edge, over the whole time: lost and dead-lettered samples by `<group>/<edge>` and reason. */
  lossTotals(): Promise<readonly LossTotal[]>;

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

  /**
   * Copies the store into the new file `file` of this computer (mode 0600), as of one checkpoint, with which it resolves (undefined
   * while there is none yet). Writes wait meanwhile, queries go on. Rejects with a RetryableError when it cannot; a part of the file
   * may be there then. A store that is a server of its own has backups of its own.
   */
  copyTo?(file: string, signal?: AbortSignal): Promise<Checkpoint | undefined>;

  /** Closes after the running write. Idempotent. */
  close(): Promise<void>;
}

export interface StoreWrite {
  readonly batch: SampleBatch;
  readonly losses: readonly Loss[];
  readonly checkpoint: Checkpoint;
  /** Makes the refused samples durable elsewhere; resolves with the losses to write beside the rest. Called before the checkpoint is written. */
  keepRefused(refused: readonly RefusedSample[]): Promise<readonly Loss[]>;
}

/** A sample that the store answers with "never": its row in the batch and what the store said. */
export interface RefusedSample {
  readonly row: number;
  readonly reason: string;
}

export interface LossQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  /** `<group>/<edge>`; all edges when absent. */
  readonly edge?: string | undefined;
}

/** Samples of one metric in one hour: produced = stored + lost + deadLettered. */
export interface DeliveryRow {
  readonly metric: string;
  /** Begin of the hour, ms UTC. */
  readonly hourMs: number;
  readonly stored: number;
  readonly lost: number;
  readonly deadLettered: number;
}

export interface LossTotal {
  readonly edge: string;
  readonly reason: LossReason;
  readonly samples: number;
  /** When the last one was reported, ms UTC. */
  readonly lastAtMs: number;
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
