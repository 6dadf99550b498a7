import type { Env, OpenFile } from '../process/env.ts';
import { FatalError, PermanentError, RetryableError } from '../process/errors.ts';
import { isDiskFull } from './disk-errors.ts';
import { encodeBatch, maxPayloadBytes, recordHeaderBytes } from './record-format.ts';
import { Segment } from './segment.ts';
import { encodeSegmentHeader, segmentFileName, segmentHeaderBytes } from './segment-header.ts';
import type { SegmentSet } from './segment-set.ts';

/** One write is at most about this long, so that a burst does not hold the event loop. */
const maxBatchBytes = 4 * 1024 * 1024;

interface WriterOptions {
  readonly segmentBytes: number;
  readonly commitDelayMs: number;
  /** Bytes that may wait for the disk; more are refused. */
  readonly maxPendingBytes: number;
}

interface WriterDeps {
  readonly env: Env;
  readonly dir: string;
  readonly logId: string;
  readonly segments: SegmentSet;
  /** No index below this is given out; read before each batch. */
  readonly lowestNextIndex: () => number;
  readonly onDurable: () => void;
  readonly onNewSegment: () => void;
  /** Bytes that the log may have, and who can make room. Undefined: no limit for the writer. */
  readonly quota: { readonly maxBytes: number; makeRoom(neededBytes: number): Promise<boolean> } | undefined;
  /** Appends are about to reject because there is no room. */
  readonly onRefused: (() => void) | undefined;
  readonly onFatal: (error: FatalError) => void;
}

interface Pending {
  readonly payload: Uint8Array;
  resolve(index: number): void;
  reject(error: unknown): void;
}

/**
 * Group commit: one loop takes what has gathered, writes it with one write, syncs once, and answers. Indexes are given when a batch
 * is built, so a refused batch leaves no gap.
 */
export class SegmentWriter {
  syncs = 0;

  private readonly options: WriterOptions;
  private readonly deps: WriterDeps;
  private active: { readonly segment: Segment; readonly file: OpenFile } | undefined;
  private pending: Pending[] = [];
  private pendingBytes = 0;
  private oldestPendingMs = 0;
  private running: Promise<void> | undefined;
  private endWindow: (() => void) | undefined;
  private ended: Error | undefined;
  private closing = false;

  constructor(options: WriterOptions, deps: WriterDeps) {
    this.options = options;
    this.deps = deps;
  }

  get nextIndex(): number {
    return Math.max(this.deps.lowestNextIndex(), this.deps.segments.last?.endIndex ?? 0);
  }

  append(payload: Uint8Array): Promise<number> {
    const bytes = recordHeaderBytes + payload.length;
    const refusal = this.refusal(payload, bytes);
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    return new Promise((resolve, reject) => {
      if (this.pending.length === 0) {
        this.oldestPendingMs = this.deps.env.clock.monotonic();
      }
      this.pending.push({ payload, resolve, reject });
      this.pendingBytes += bytes;
      if (this.pendingBytes >= maxBatchBytes) {
        this.endWindow?.();
      }
      this.running ??= this.run();
    });
  }

  /** No more appends: they and those still waiting reject with `error`. */
  end(error: Error): void {
    this.ended ??= error;
    const waiting = this.pending;
    this.pending = [];
    this.pendingBytes = 0;
    for (const { reject } of waiting) {
      reject(error);
    }
    this.endWindow?.();
  }

  /** Commits what waits, then closes. */
  async close(): Promise<void> {
    this.closing = true;
    this.endWindow?.();
    await this.running;
    this.ended ??= new RetryableError('log.closed', `${this.deps.dir}: the log is closed`);
    await this.active?.file.close();
    this.active = undefined;
  }

  private refusal(payload: Uint8Array, bytes: number): Error | undefined {
    if (this.ended !== undefined || this.closing) {
      return this.ended ?? new RetryableError('log.closed', `${this.deps.dir}: the log is closing`);
    }
    if (payload.length > maxPayloadBytes) {
      return new PermanentError(
        'log.recordTooLarge',
        `${this.deps.dir}: a record of ${payload.length} bytes; at most ${maxPayloadBytes} fit`,
      );
    }
    if (this.pendingBytes + bytes > this.options.maxPendingBytes && this.pending.length > 0) {
      return new RetryableError('log.busy', `${this.deps.dir}: ${this.pendingBytes} bytes wait for the disk; append fewer at a time`);
    }
    return undefined;
  }

  private async run(): Promise<void> {
    while (this.pending.length > 0) {
      await this.window();
      await this.commitBatch();
    }
    this.running = undefined;
  }

  /** Lets appends gather: until the oldest has waited long enough, or a full batch is there. */
  private async window(): Promise<void> {
    const { clock } = this.deps.env;
    const waitMs = this.oldestPendingMs + this.options.commitDelayMs - clock.monotonic();
    if (waitMs <= 0 || this.pendingBytes >= maxBatchBytes || this.closing) {
      // Still one turn later, so that appends of the same turn share a batch.
      await Promise.resolve();
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = clock.after(waitMs, resolve);
      this.endWindow = () => {
        timer.cancel();
        resolve();
      };
    });
    this.endWindow = undefined;
  }

  private async commitBatch(): Promise<void> {
    const first = this.pending[0];
    if (first === undefined) {
      return;
    }
    let batch: readonly Pending[] = [];
    try {
      const firstBytes = recordHeaderBytes + first.payload.length;
      await this.needRoom(firstBytes);
      const { segment, file } = await this.segmentFor(firstBytes);
      const roomBytes = Math.min(this.options.segmentBytes - segment.size, this.freeBytes());
      batch = this.takeBatch(Math.max(firstBytes, roomBytes));
      if (batch.length > 0) {
        await this.writeBatch(segment, file, batch);
      }
    } catch (error) {
      this.fail(error, batch);
    }
  }

  private freeBytes(): number {
    return (this.deps.quota?.maxBytes ?? Number.POSITIVE_INFINITY) - this.deps.segments.bytes;
  }

  /** Throws RetryableError `log.quota` when the quota has no room for a record of `bytes`, be it in a new segment. */
  private async needRoom(bytes: number): Promise<void> {
    const neededBytes = bytes + segmentHeaderBytes;
    if (neededBytes > this.freeBytes() && (await this.deps.quota?.makeRoom(neededBytes)) === false) {
      const { dir, segments } = this.deps;
      const advice = 'nothing is taken until its readers have caught up; look at them or raise the quota';
      throw new RetryableError('log.quota', `${dir}: ${segments.bytes} bytes are not read yet and the log is full: ${advice}`);
    }
  }

  private takeBatch(roomBytes: number): readonly Pending[] {
    const limit = Math.min(roomBytes, maxBatchBytes);
    let bytes = 0;
    let count = 0;
    for (const { payload } of this.pending) {
      if (count > 0 && bytes + recordHeaderBytes + payload.length > limit) {
        break;
      }
      bytes += recordHeaderBytes + payload.length;
      count++;
    }
    this.pendingBytes -= bytes;
    if (count === this.pending.length) {
      const all = this.pending;
      this.pending = [];
      return all;
    }
    return this.pending.splice(0, count);
  }

  private async writeBatch(segment: Segment, file: OpenFile, batch: readonly Pending[]): Promise<void> {
    const firstIndex = segment.endIndex;
    const start = segment.size;
    const payloads = batch.map(({ payload }) => payload);
    const buffer = encodeBatch(payloads, firstIndex - segment.firstIndex, segment.header.salt);
    try {
      await file.write(buffer, start);
    } catch (error) {
      // Whatever part arrived must be gone for good before anyone hears that nothing was kept.
      await this.mustWork(file.truncate(start), 'truncate');
      await this.mustWork(file.sync(), 'sync');
      throw error;
    }
    await this.mustWork(file.sync(), 'sync');
    this.syncs++;
    let position = start;
    for (const [i, payload] of payloads.entries()) {
      segment.note(firstIndex + i, position);
      position += recordHeaderBytes + payload.length;
    }
    segment.endIndex = firstIndex + batch.length;
    this.deps.segments.grow(segment, buffer.length);
    for (const [i, { resolve }] of batch.entries()) {
      resolve(firstIndex + i);
    }
    this.deps.onDurable();
  }

  /** The segment that takes the next record of `bytes`; a new one when the last is full or its indexes do not go on. */
  private async segmentFor(bytes: number): Promise<{ readonly segment: Segment; readonly file: OpenFile }> {
    const { segments, env } = this.deps;
    const last = segments.last;
    const nextIndex = this.nextIndex;
    const hasRoom = last !== undefined && (last.size + bytes <= this.options.segmentBytes || last.size === segmentHeaderBytes);
    if (last !== undefined && hasRoom && last.endIndex === nextIndex) {
      this.active ??= { segment: last, file: await env.disk.open(last.path, 'write') };
      return this.active;
    }
    const created = await this.createSegment(nextIndex, last?.endIndex ?? nextIndex);
    const full = this.active;
    this.active = created;
    segments.add(created.segment);
    await full?.file.close();
    this.deps.onNewSegment();
    return created;
  }

  /** The file, its header and its name are durable before a record goes in. */
  private async createSegment(firstIndex: number, previousEnd: number): Promise<{ segment: Segment; file: OpenFile }> {
    const { env, dir, logId } = this.deps;
    const salt = Buffer.from(env.random.bytes(4)).readUInt32LE(0);
    const header = { firstIndex, salt, previousEnd, createdMs: env.clock.now(), logId };
    const path = `${dir}/${segmentFileName(header)}`;
    const file = await env.disk.open(path, 'create');
    try {
      await file.write(encodeSegmentHeader(header), 0);
    } catch (error) {
      await this.mustWork(file.close(), 'close');
      await this.mustWork(env.disk.unlink(path), 'unlink');
      await this.mustWork(env.disk.syncDir(dir), 'sync');
      throw error;
    }
    await this.mustWork(file.sync(), 'sync');
    await this.mustWork(env.disk.syncDir(dir), 'sync');
    this.syncs += 2;
    return { segment: new Segment(env.disk, dir, header, segmentHeaderBytes, firstIndex), file };
  }

  private async mustWork(operation: Promise<void>, name: 'sync' | 'truncate' | 'unlink' | 'close'): Promise<void> {
    try {
      await operation;
    } catch (error) {
      const what = `${this.deps.dir}: the disk failed to ${name} the log; restart the process to see what it really holds`;
      throw new FatalError(`log.${name}Failed`, what, error);
    }
  }

  /** What waits behind a refused batch is refused with it, so that nothing is kept that came after what was not. */
  private fail(error: unknown, batch: readonly Pending[]): void {
    const reason = this.reasonOf(error);
    const refused = reason instanceof FatalError ? batch : [...batch, ...this.pending];
    if (refused.length > batch.length) {
      this.pending = [];
      this.pendingBytes = 0;
    }
    if (!(reason instanceof FatalError)) {
      this.deps.onRefused?.();
    }
    for (const { reject } of refused) {
      reject(reason);
    }
    if (reason instanceof FatalError) {
      this.end(reason);
      this.deps.onFatal(reason);
    }
  }

  private reasonOf(error: unknown): FatalError | RetryableError {
    const { dir } = this.deps;
    if (isDiskFull(error)) {
      return new RetryableError('log.diskFull', `${dir}: no room on the disk; free some`, { cause: error });
    }
    const isKnown = error instanceof FatalError || (error instanceof RetryableError && error.code === 'log.quota');
    return isKnown ? error : new FatalError('log.writeFailed', `${dir}: the disk failed to write the log; check it, then restart`, error);
  }
}
