/**
 * Which samples this edge gave up: what will be told to the server, on disk before the samples are gone.
 *
 * Invariants
 * - A loss is in the ledger until its report was acknowledged. Detail may be dropped when the ledger is full, counts never are.
 * - A report that may be on its way never changes; there is one at a time. A repeated one has the same number.
 * - `highest` is above every number of the current stream that was ever part of a report, so that it is never given again.
 *
 * The file has its full size from the start (slot-file.ts): a full disk cannot keep a loss from being counted.
 */
import type { Env, Timer } from '@nhip/core/process/env';
import { FatalError, RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { LossReason, LossReport } from '@nhip/core/wire/loss';
import { decodeLedger, encodeLedger, type LedgerContent, type Reached, type SealedEntry, type StreamStart } from './ledger-text.ts';
import { LossEntries, type LossEntry } from './loss-entries.ts';
import { LossTally, type TallyLimits } from './loss-tally.ts';
import { SlotFile } from './slot-file.ts';

const fileName = 'losses';
/** Streams of which the log may still hold records. */
const keptStreams = 8;
/** How long a change waits for company on its way to the disk. */
const writeDelayMs = 2000;
/** How far the outbox has come is written down this often, even when nothing is lost. */
const progressMs = 10_000;
/** Losses that go on and on are reported this often. */
const settleMs = 5000;

export interface LossLedgerOptions {
  readonly limits: TallyLimits;
  /** Size of one of the two slots of a new file. */
  readonly slotBytes: number;
  readonly log: Log;
  onFatal(error: FatalError): void;
}

/** New numbers, for samples that never had one. Until `release` no higher number reaches the disk. */
export interface TakenNumbers {
  readonly first: number;
  /** Every lower number is on disk, or counted: a crash leaves no hole below the report. */
  readonly settled: Promise<void>;
  release(): void;
}

export class LossLedger {
  /** How far the log and the current stream have come; on disk with the next change. */
  reached: Reached = { index: 0, seq: 0 };
  /** Numbers of the current stream below it were acknowledged or are part of an acknowledged report; on disk with the next change. */
  releasedSeq = 0;
  /** The last process stopped cleanly: `reached` was exact when this one began. */
  wasStopped = false;

  private readonly env: Env;
  private readonly dir: string;
  private readonly options: LossLedgerOptions;
  private slots: SlotFile | undefined;
  private readonly id: string;
  private readonly entries: LossEntries;
  private unnumbered = new Map<LossReason, LossTally>();
  /** What is about to get its numbers. */
  private sealing: { readonly reason: LossReason; readonly tally: LossTally; readonly done: Promise<void> } | undefined;
  private sealed: SealedEntry | undefined;
  /** Acknowledged, but a restart would send them again. */
  private unwritten: LossEntry[] = [];
  private nextNo = 1;
  private logId = '';
  private starts: readonly StreamStart[] = [];
  private highestSeq = 0;
  private stopped = 0;
  private changes = 0;
  private written = 0;
  private writtenMs = 0;
  private writing: Promise<void> | undefined;
  private writeTimer: Timer | undefined;
  private isBroken = false;
  private isClosed = false;
  private settledFromMs: number;

  private constructor(env: Env, dir: string, slots: SlotFile | undefined, options: LossLedgerOptions) {
    this.env = env;
    this.dir = dir;
    this.slots = slots;
    this.options = options;
    this.entries = new LossEntries(options.limits);
    this.settledFromMs = env.clock.monotonic();
    const known = slots?.content === undefined ? undefined : decodeLedger(slots.content);
    this.id = known?.id ?? Buffer.from(env.random.bytes(16)).toString('hex');
    if (known !== undefined) this.restore(known);
  }

  /** Opens the ledger in folder `dir`, or begins a new one: in memory only for as long as the disk has no room for it. */
  static async open(env: Env, dir: string, options: LossLedgerOptions): Promise<LossLedger> {
    const slots = await openSlots(env, dir, options);
    if (slots?.isDamaged === true)
      options.log.error({ dir }, 'The loss ledger is damaged; losses that were not reported yet are known by their numbers only.');
    return new LossLedger(env, dir, slots, options);
  }

  /** The current stream; undefined in a new ledger. */
  get current(): StreamStart | undefined {
    return this.starts.at(-1);
  }

  /** Streams of which log `logId` may hold records, oldest first. */
  get streams(): readonly StreamStart[] {
    return this.starts;
  }

  /** The log that the current stream is in. */
  get streamLogId(): string {
    return this.logId;
  }

  /** Numbers of the current stream below it may be part of a report. */
  get highest(): number {
    return this.highestSeq;
  }

  /** Wall time of the last clean stop; 0 for none. */
  get stoppedMs(): number {
    return this.stopped;
  }

  /** Begins a stream at `firstIndex` of the log `logId`. `older` are streams that the log has and the ledger does not know. */
  beginStream(logId: string, start: StreamStart, older: readonly StreamStart[] = []): void {
    const known = logId === this.logId ? this.starts : [];
    this.starts = [...known, ...older.filter(({ stream }) => !known.some((item) => item.stream === stream)), start].slice(-keptStreams);
    this.logId = logId;
    this.highestSeq = 0;
    this.reached = { index: start.firstIndex, seq: 0 };
    this.releasedSeq = 0;
    this.changes++;
  }

  /** Counts a loss. On disk after `sync`, or about two seconds later by itself. */
  add(entry: LossEntry): void {
    this.entries.add(entry);
    this.noteNumbers(entry);
    this.changed();
  }

  /** Counts samples that get their numbers with their report. */
  addUnnumbered(reason: LossReason, device: string, metric: string, timestampMs: number): void {
    const tally = this.unnumbered.get(reason) ?? new LossTally();
    tally.add(device, metric, timestampMs);
    this.unnumbered.set(reason, tally);
    this.changed();
  }

  /** Resolves when all that was counted before the call is on disk. Rejects with the disk's error, or `outbox.ledgerFull`. */
  async sync(): Promise<void> {
    const wanted = this.changes;
    while (this.written < wanted) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined;
      });
      await this.writing;
    }
  }

  /**
   * The report to send next, on disk as such; the same one until it is acknowledged; undefined when there is none that is due.
   * Rejects like `sync`.
   */
  async nextReport(takeNumbers: (count: number) => TakenNumbers): Promise<LossReport | undefined> {
    await this.sealing?.done;
    this.sealed ??= this.sealSettled();
    if (this.sealed !== undefined) {
      await this.sync();
    } else if (this.isSettled) {
      await this.sealUnnumbered(takeNumbers);
    }
    return this.sealed === undefined ? undefined : this.reportOf(this.sealed);
  }

  /** The server has the report `no`. Forgotten on disk with the next write: a repetition is harmless. */
  acknowledge(no: number): void {
    if (this.sealed?.no !== no) return;
    this.unwritten.push(this.sealed);
    this.sealed = undefined;
    this.changed();
  }

  /** Has `reached` and `releasedSeq` written down when they were not for a while. */
  noteProgress(): void {
    if (this.env.clock.monotonic() - this.writtenMs > progressMs) this.changed();
  }

  /** Every loss that has numbers and is not forgotten on disk. */
  pending(): readonly LossEntry[] {
    const all = [...this.unwritten, ...(this.sealed === undefined ? [] : [this.sealed]), ...this.entries.list];
    return all.filter(({ seqFrom, seqTo }) => seqTo > seqFrom);
  }

  /** Reports that are still to be acknowledged, with or without numbers. */
  get pendingReports(): number {
    return this.entries.list.length + this.unnumbered.size + ((this.sealed ?? this.sealing) === undefined ? 0 : 1);
  }

  /** Notes the clean stop and closes. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.writeTimer?.cancel();
    this.stopped = this.env.clock.now();
    this.changes++;
    await this.sync().catch(() => undefined);
    await this.slots?.close();
  }

  private get isSettled(): boolean {
    return this.env.clock.monotonic() >= this.settledFromMs;
  }

  private sealSettled(): SealedEntry | undefined {
    const entry = this.isSettled || this.entries.list.length > 1 ? this.entries.shift() : undefined;
    return entry === undefined ? undefined : this.seal(entry);
  }

  private async sealUnnumbered(takeNumbers: (count: number) => TakenNumbers): Promise<void> {
    const [first] = this.unnumbered;
    const stream = this.current?.stream;
    if (first === undefined || stream === undefined) return;
    const [reason, tally] = first;
    this.unnumbered.delete(reason);
    const numbers = takeNumbers(tally.samples);
    const done = numbers.settled.then(() => {
      this.sealing = undefined;
      this.sealed = this.seal({ reason, stream, seqFrom: numbers.first, seqTo: numbers.first + tally.samples, tally });
    });
    this.sealing = { reason, tally, done };
    try {
      await done;
      await this.sync();
    } finally {
      numbers.release();
    }
  }

  private seal(entry: LossEntry): SealedEntry {
    this.settledFromMs = this.env.clock.monotonic() + settleMs;
    while (!entry.tally.fitsWith(new LossTally(), this.options.limits) && entry.tally.coarsen());
    this.noteNumbers(entry);
    this.changed();
    return { ...entry, no: this.nextNo++ };
  }

  private noteNumbers({ stream, seqTo }: LossEntry): void {
    if (stream === this.current?.stream) this.highestSeq = Math.max(this.highestSeq, seqTo);
  }

  private reportOf({ no, reason, stream, seqFrom, seqTo, tally }: SealedEntry): LossReport {
    return { ledger: this.id, no, reason, stream, seqFrom, seqTo, fromMs: tally.fromMs, toMs: tally.toMs, rows: tally.list() };
  }

  private changed(): void {
    this.changes++;
    if (this.isClosed) return;
    this.writeTimer ??= this.env.clock.after(writeDelayMs, () => {
      this.writeTimer = undefined;
      this.sync().catch(() => undefined);
    });
  }

  private async write(): Promise<void> {
    try {
      this.slots ??= await openSlots(this.env, this.dir, this.options);
      if (this.slots === undefined)
        throw new RetryableError('outbox.ledgerFull', 'losses: no room on the disk for the loss ledger; free some');
      const { changes } = this;
      const forgotten = this.unwritten.length;
      await this.slots.write(this.encode(this.slots.maxContentBytes));
      this.written = changes;
      this.unwritten = this.unwritten.slice(forgotten);
      this.writtenMs = this.env.clock.monotonic();
      if (this.isBroken) this.options.log.info('The loss ledger is written again');
      this.isBroken = false;
    } catch (error) {
      if (error instanceof FatalError) this.options.onFatal(error);
      if (!this.isBroken) this.options.log.error({ err: error }, 'The loss ledger cannot be written: losses are counted in memory only');
      this.isBroken = true;
      throw error;
    }
  }

  private encode(maxBytes: number): Uint8Array {
    const unnumbered = [...this.unnumbered].map(([reason, tally]) => ({ reason, tally }));
    if (this.sealing !== undefined) unnumbered.push(this.sealing);
    for (;;) {
      const bytes = encodeLedger({
        id: this.id,
        nextNo: this.nextNo,
        logId: this.logId,
        streams: this.starts,
        highest: this.highestSeq,
        reached: this.reached,
        releasedSeq: this.releasedSeq,
        isStopped: this.isClosed,
        stoppedMs: this.stopped,
        sealed: this.sealed,
        entries: this.entries.list,
        unnumbered,
      });
      if (bytes.length <= maxBytes) return bytes;
      const isSmaller = unnumbered.map(({ tally }) => tally.coarsen()).some((did) => did);
      if (!this.entries.coarsen() && !isSmaller) {
        const advice = 'losses: the ledger is full of losses that cannot be told as one; connect the broker';
        throw new RetryableError('outbox.ledgerFull', advice);
      }
    }
  }

  private restore(known: LedgerContent): void {
    this.nextNo = known.nextNo;
    this.logId = known.logId;
    this.starts = known.streams;
    this.highestSeq = known.highest;
    this.reached = known.reached;
    this.releasedSeq = known.releasedSeq;
    this.wasStopped = known.isStopped;
    this.stopped = known.stoppedMs;
    this.sealed = known.sealed;
    for (const entry of known.entries) this.entries.add(entry);
    for (const { reason, tally } of known.unnumbered) {
      const same = this.unnumbered.get(reason);
      if (same === undefined) this.unnumbered.set(reason, tally);
      else same.merge(tally);
    }
  }
}

/** Undefined when there is no room for a new file. */
async function openSlots(env: Env, dir: string, { slotBytes }: LossLedgerOptions): Promise<SlotFile | undefined> {
  await env.disk.makeDir(dir);
  try {
    return await SlotFile.open(env.disk, dir, fileName, slotBytes);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return undefined;
    throw error;
  }
}
