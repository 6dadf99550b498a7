import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Loss, LossReason } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';

/** What a store may be unable to do. */
export type StoreAbility =
  /** Answers about what it holds: without it a store can only stand beside another one. */
  | 'query'
  /** Keeps losses beside the samples. */
  | 'losses'
  /** Text values. */
  | 'text'
  /** "No value": a sample that says that nothing is known. */
  | 'noValue'
  /** Numbers to the last bit. */
  | 'exactNumbers'
  /** Whole numbers beyond 2^53, digit by digit. */
  | 'exactIntegers'
  /** Tells true from 1 and false from 0. */
  | 'booleans'
  /** Several samples of one series in one millisecond. */
  | 'sameMillisecond';

/** What ingest needs of a store, as promises: the half that is written. One writer. */
export interface SampleStore {
  readonly name: string;
  /** D3: data and checkpoint in one transaction. D2: fsynced before the reply. D1: durable `delayMs` after the reply. */
  readonly durability: { readonly class: 'D3' | 'D2' | 'D1'; readonly delayMs: number };
  /** What it cannot do, each with the reason; absent: it can do everything. */
  readonly cannot?: Readonly<Partial<Record<StoreAbility, string>>>;

  /**
   * Opens or creates the store and resolves with the checkpoint from which all is durable that led to it, `undefined` for a new store.
   * On a store that is open it only reads the checkpoint: so a writer learns what became of a write that was answered with an error.
   */
  open(): Promise<Checkpoint | undefined>;

  /**
   * Writes samples, losses and the checkpoint that they lead to. Resolves when all are durable by the declared class, but for the
   * samples that the store will never take: it finds them one by one, hands them to `keepRefused` and goes on with the rest. What
   * `cannot` says is left out and counted in `leftOut`.
   * Never called concurrently. On rejection nothing or everything was written (D3), or a part whose repetition is harmless (D2, D1);
   * writing the same again is allowed.
   */
  write(write: StoreWrite): Promise<void>;

  /**
   * May be called while a write runs, with the samples of the next one, which stay as they are until then: the store may begin with them, so
   * that a server need not wait while a checkpoint is written. It never fails; the write that follows knows what came of it. Only for
   * stores in which the same samples may be written twice; absent: nothing goes ahead.
   */
  ahead?(batch: SampleBatch): void;

  /**
   * D1 only: whether the store may have lost what it had answered for. Then its checkpoint moves no more: whoever writes must close it
   * and begin again, with a new one, at the checkpoint that `open` gives.
   */
  isSetBack?(): boolean;

  /** Samples since the start that it left out because of what it cannot do; absent: none. */
  leftOut?(): number;

  /** Work that keeps the store small and quick, for whoever composes the roles to start when there is little else to do. */
  readonly upkeep?: Upkeep;

  /** Closes after the running write. Idempotent. */
  close(): Promise<void>;
}

/**
 * The history store: where samples end up and are asked for. Any number of readers in the same process.
 */
export interface HistoryStore extends SampleStore {
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
   * Copies the store into the new file `file` of this computer (mode 0600) and what else belongs to it beside that, as of one checkpoint, with which it resolves (undefined
   * while there is none yet). Writes wait meanwhile, queries go on. Rejects with a RetryableError when it cannot; a part of the file
   * may be there then. A store that is a server of its own has backups of its own.
   */
  copyTo?(file: string, signal?: AbortSignal): Promise<Checkpoint | undefined>;

  /**
   * Writes samples into a new file of this computer, sorted by machine, metric and time, for whoever hands it on and disposes of it.
   * Rejects with a RetryableError `store.exportFailed`, then nothing is left. A store that is a server of its own has exports of its own.
   */
  exportSamples?(query: ExportQuery): Promise<ExportedFile>;
}

export interface Upkeep {
  /**
   * One round: moves what is closed out of the way of writes, deletes what is older than it is kept. Writes and queries go on
   * meanwhile. One at a time; safe to be killed at any moment. The signal ends it soon: then it rejects with its reason.
   */
  run(nowMs: number, signal?: AbortSignal): Promise<void>;
  status(): UpkeepStatus;
}

/** Counts are since the store was opened. */
export interface UpkeepStatus {
  readonly state: 'idle' | 'running';
  /** Slices (days, or hours of a large one) that wait to be moved. */
  readonly waitingSlices: number;
  /** Late samples of days that have files: too few yet to write one again. */
  readonly waitingLateSamples: number;
  /** When the last whole round began, ms UTC. */
  readonly lastEndMs: number | null;
  /** Why the last round failed; null: it did not. */
  readonly problem: string | null;
  readonly slices: number;
  /** Of them, written again for late samples. */
  readonly lateSlices: number;
  readonly movedSamples: number;
  readonly expiredFiles: number;
  readonly expiredSamples: number;
  /** What is there now. */
  readonly coldFiles: number;
  readonly coldSamples: number;
  readonly coldBytes: number;
  /** End of the newest slice that was moved, ms UTC. */
  readonly coldToMs: number | null;
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

export interface ExportQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** All when absent. */
  readonly machine?: string | undefined;
  readonly metric?: string | undefined;
  readonly format: 'parquet' | 'csv';
  readonly signal?: AbortSignal | undefined;
}

export interface ExportedFile {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Removes the file. */
  dispose(): Promise<void>;
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
