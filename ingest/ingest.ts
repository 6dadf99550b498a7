import type { LogBus, LogRecord, LogSource } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import { createDecoder, type Decoder } from '@nhip/core/telemetry/decoder';
import type { Reject } from '@nhip/core/telemetry/rejects';
import type { Replayed } from '@nhip/core/telemetry/replay';
import { type BatchMark, SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Checkpoint, SampleStore } from '@nhip/stores/history-store';
import { type Book, openBook } from './book.ts';
import type { IngestConfig } from './config.ts';
import { keepRejects } from './dead-letters.ts';
import { judgeMessage } from './judge.ts';
import { blankLoss } from './loss-rows.ts';
import { createRebirthRequester, type SendNodeCommand } from './rebirth.ts';
import { samplesOf } from './repeat-filter.ts';
import { takeReplayed } from './replay.ts';
import { createResendRequester } from './resend.ts';
import { createCounts, type IngestStats } from './stats.ts';
import { createWork, type Work } from './work.ts';
import { createWorkWriter } from './work-writer.ts';

export interface IngestDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logBus: LogSource;
  readonly store: SampleStore;
  /** Where dead letters go: a log of its own. */
  readonly deadLetters: Pick<LogBus, 'append'>;
  readonly sendNodeCommand: SendNodeCommand;
  /** Where a store begins that has no checkpoint yet; without it at the first record of the log. */
  beginAt?(): Checkpoint | undefined;
  readonly tracing?: Tracing | undefined;
  /** Called when ingest cannot go on: without it the log would fill up and give up samples unseen. */
  onFatal?(error: Error): void;
}

export interface Ingest {
  /** Opens the store and begins to read. Resolves when the first read is under way; rejects when the store cannot be opened. */
  start(): Promise<void>;
  /** Finishes the running write, writes what is decoded, stops. The store stays open. Idempotent. */
  stop(): Promise<void>;
  stats(): IngestStats;
  /** The checkpoint of the last write, for readers that start from it. */
  checkpoint(): Checkpoint | undefined;
}

/** Bad input and losses beyond this are written out before more is read. */
const maxLetterBytes = 4_194_304;
const maxLosses = 50_000;
const readRetryMs = 1000;

/**
 * The ingest role: log → samples and losses → store → cursor. Reading and decoding the next batch goes on while the last one is
 * being written; one more waits at most. A store that fails is tried again for ever with back-off; the log is the buffer.
 */
export function createIngest(config: IngestConfig, deps: IngestDeps): Ingest {
  const { clock, log, logBus, store, deadLetters, tracing } = deps;
  const series = new SeriesTable();
  const decoder: Decoder = createDecoder(series, config);
  const requestRebirth = createRebirthRequester(clock, deps.sendNodeCommand);
  const spare: SampleBatch[] = [];
  const requestResend = createResendRequester(clock, deps.sendNodeCommand);
  const seenReasons = new Set<string>();
  const counts = createCounts();
  const abort = new AbortController();
  const writer = createWorkWriter({ clock, log, logBus, store, deadLetters, signal: abort.signal });
  let book: Book = openBook();
  /** What the opening found out, for the first batch. */
  const early: Loss[] = [];
  let lastCheckpoint: Checkpoint | undefined;
  let nextIndex = 0;
  /** What is being decoded and what is being written. */
  let collecting: Work | undefined;
  let writing: Work | undefined;
  let isLogBroken = false;
  let running: Promise<void> | undefined;

  async function open(): Promise<void> {
    const checkpoint = (await store.open()) ?? deps.beginAt?.();
    book = openBook(checkpoint?.repeats);
    const { firstIndex, nextIndex: end } = logBus.stats();
    if (checkpoint === undefined) {
      nextIndex = firstIndex;
      return;
    }
    if (!decoder.restore(checkpoint.decoder)) log.warn('The births in the store are of another version; edges are asked for new ones');
    // Another log (its folder was lost or replaced) numbers from 0 again, an older copy of this one from its end; repeats are
    // known by their identity in both.
    const isSameLog = book.logId === logBus.id;
    nextIndex = isSameLog ? Math.min(checkpoint.nextIndex, end) : firstIndex;
    if (!isSameLog && book.logId !== undefined) logGone(early, 'the log was replaced by another');
    else if (nextIndex < checkpoint.nextIndex) logGone(early, `the log ends at ${end}, before the last stored record`);
    lastCheckpoint = { ...checkpoint, nextIndex };
  }

  function take(record: LogRecord, work: Work): void {
    if (record.index > work.nextIndex) missed(work, record.index);
    work.nextIndex = record.index + 1;
    book.markRead(logBus.id, record.index);
    const { batch } = work;
    const atMs = clock.now();
    const mark = batch.mark();
    const decoded = decoder.decode(record, batch);
    const { message, edge, replayed } = decoded;
    if (replayed !== undefined) takeLetter(replayed, work, mark, atMs);
    else {
      counts.received(batch.length - mark.length + samplesOf(decoded.rejects));
      const { repeats, rejects, missing } = judgeMessage(decoded, book, batch, mark, work.losses, atMs);
      work.repeated += repeats;
      for (const reject of rejects) noteReject(reject, record.index);
      keepRejects(rejects, decoded, record, logBus.id, work, atMs);
      if (message !== undefined && requestResend(edge, missing, message.receivedMs)) {
        counts.resendRequested();
        log.info({ edge, missing: missing.length, first: missing[0] }, 'Numbers that an edge released are missing, asked for them again');
      }
    }
    if (batch.length > mark.length) work.sources.push({ index: record.index, fromRow: mark.length, isReplay: replayed !== undefined });
    const followed = tracing === undefined || decoded.identity === undefined ? undefined : tracing.traceOf(decoded.identity);
    if (followed !== undefined) work.followed.push({ trace: followed, startMs: atMs });
    if (message === undefined) return;
    work.oldestMs = Math.min(work.oldestMs, message.receivedMs);
    if (decoded.needsRebirth && requestRebirth(edge, message.receivedMs)) {
      counts.rebirthRequested();
      log.info({ edge }, 'Rebirth requested');
    }
  }

  function takeLetter(replayed: Replayed, work: Work, mark: BatchMark, atMs: number): void {
    const { sourceLog, sourceIndex, reason } = replayed.letter;
    const samples = takeReplayed(replayed, book, work, mark, atMs);
    work.replayed += Math.max(0, samples);
    if (samples < 0) log.error({ sourceIndex, reason }, 'A dead letter stays where it is: more came back than can be remembered');
    else log.info({ sourceLog, sourceIndex, reason, samples }, 'A dead letter came back');
  }

  function noteReject({ reason, detail, samples }: Reject, index: number): void {
    if (!seenReasons.has(reason))
      log[reason === 'decoderFault' ? 'error' : 'warn']({ reason, detail, index }, 'First dead letter of this kind');
    seenReasons.add(reason);
    counts.rejected(reason, samples);
  }

  /** [] when nothing came in time, the role stops, or the log cannot be read just now. */
  async function read(index: number, waitMs: number): Promise<readonly LogRecord[]> {
    try {
      const records = await logBus.read(index, { maxRecords: 2048, maxBytes: 2_097_152, waitMs, signal: abort.signal });
      if (isLogBroken) log.info('The log can be read again');
      isLogBroken = false;
      return records;
    } catch (error) {
      if (abort.signal.aborted) return [];
      if (!isLogBroken) log.error({ err: error, index }, 'The log cannot be read, trying until it can');
      isLogBroken = true;
      await clock.sleep(readRetryMs, abort.signal).catch(() => undefined);
      return [];
    }
  }

  /** Reads until the batch is full, or its age has reached the commit interval. */
  async function collect(work: Work): Promise<void> {
    const until = clock.monotonic() + config.commitIntervalMs;
    while (!isFull(work) && !abort.signal.aborted) {
      const isEmpty = work.nextIndex === work.fromIndex;
      const waitMs = isEmpty ? 1000 : Math.max(0, until - clock.monotonic());
      const records = await read(work.nextIndex, waitMs);
      if (records.length === 0) {
        if (isEmpty) continue;
        return;
      }
      for (const record of records) take(record, work);
      if (clock.monotonic() >= until) return;
    }
  }

  function isFull({ batch, letterBytes, losses }: Work): boolean {
    return batch.length >= config.maxBatchSamples || letterBytes >= maxLetterBytes || losses.size >= maxLosses;
  }

  /** What was in them comes again, or the edge tells that it is gone. */
  function missed({ nextIndex: from, losses }: Work, to: number): void {
    counts.missed(to - from);
    decoder.forgetAliases();
    log.error({ from, to }, 'Records of the log were gone before they could be stored');
    const found: Loss[] = [];
    logGone(found, `${to - from} records of the log from ${from} on`);
    losses.add(...found);
  }

  function logGone(to: Loss[], detail: string): void {
    to.push({ ...blankLoss('', 'logGone', clock.now()), detail });
  }

  async function writeOut(work: Work, checkpoint: Checkpoint): Promise<boolean> {
    writing = work;
    const isStored = await writer.write(work, checkpoint);
    if (!isStored) return false;
    writing = undefined;
    lastCheckpoint = checkpoint;
    counts.stored(work);
    if (tracing !== undefined) traceStored(tracing, work);
    spare.push(work.batch);
    return true;
  }

  function traceStored(to: Tracing, { followed, fromIndex, nextIndex: toIndex }: Work): void {
    const endMs = clock.now();
    for (const { trace, startMs } of followed)
      to.add(trace, { name: 'ingest.store', startMs, endMs, attributes: { batchRecords: toIndex - fromIndex } });
  }

  async function run(): Promise<void> {
    let written: Promise<boolean> = Promise.resolve(true);
    while (!abort.signal.aborted) {
      const work = createWork(spare.pop() ?? new SampleBatch(series), nextIndex);
      work.losses.add(...early.splice(0));
      collecting = work;
      await collect(work);
      nextIndex = work.nextIndex;
      const checkpoint = { nextIndex, decoder: decoder.snapshot(), repeats: book.snapshot(logBus.id) };
      const isEmpty = work.nextIndex === work.fromIndex;
      if (!isEmpty) store.ahead?.(work.batch);
      // The next checkpoint must not be stored when this one's predecessor was not.
      if (!(await written)) return;
      if (isEmpty) spare.push(work.batch);
      else written = writeOut(work, checkpoint);
    }
    await written;
  }

  return {
    async start() {
      await open();
      running = run();
      running.catch((error: unknown) => {
        log.fatal({ err: error }, 'Ingest stopped');
        deps.onFatal?.(error instanceof Error ? error : new Error(String(error)));
      });
    },
    async stop() {
      abort.abort();
      await running;
    },
    stats() {
      const oldestMs = Math.min(collecting?.oldestMs ?? Number.POSITIVE_INFINITY, writing?.oldestMs ?? Number.POSITIVE_INFINITY);
      const down = writer.down();
      return {
        ...counts.get(),
        storeDownSinceMs: down?.sinceMs ?? null,
        storeProblem: down === null ? null : { code: down.code, text: down.text },
        lagMs: oldestMs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, clock.now() - oldestMs),
        nextIndex,
      };
    },
    checkpoint: () => lastCheckpoint,
  };
}
