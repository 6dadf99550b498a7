import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { createDecoder, type Decoder } from '@nhip/core/telemetry/decoder';
import type { Reject } from '@nhip/core/telemetry/outcome';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import type { IngestConfig } from './config.ts';
import { encodeDeadLetter } from './dead-letters.ts';
import { createRebirthRequester, type SendNodeCommand } from './rebirth.ts';
import { createRepeatFilter, nothingSeen, type RepeatFilter } from './repeat-filter.ts';
import { createWork, type Work } from './work.ts';
import { createWorkWriter } from './work-writer.ts';

export interface IngestDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logBus: LogBus;
  readonly store: HistoryStore;
  /** Where dead letters go: a log of its own. */
  readonly deadLetters: LogBus;
  readonly sendNodeCommand: SendNodeCommand;
  /** Called when ingest cannot go on: without it the log would fill up and give up samples unseen. */
  onFatal?(error: Error): void;
}

/** Numbers since the process started; samples, not messages. */
export interface IngestStats {
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  readonly deadLettered: number;
  readonly deadLetteredByReason: Readonly<Record<string, number>>;
  /** Records of the log that were evicted before ingest read them. */
  readonly missedRecords: number;
  readonly batches: number;
  /** Age of the oldest record that is read but not stored; 0 when everything read is stored. */
  readonly lagMs: number;
  readonly nextIndex: number;
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

/** Bad input beyond this is written out before more is read. */
const maxLetterBytes = 4_194_304;
const readRetryMs = 1000;

/**
 * The ingest role: log → samples → store → cursor. Reading and decoding the next batch goes on while the last one is
 * being written; one more waits at most. A store that fails is tried again for ever with back-off; the log is the buffer.
 */
export function createIngest(config: IngestConfig, deps: IngestDeps): Ingest {
  const { clock, log, logBus, store, deadLetters } = deps;
  const series = new SeriesTable();
  const decoder: Decoder = createDecoder(series, config);
  const requestRebirth = createRebirthRequester(clock, deps.sendNodeCommand);
  const spare: SampleBatch[] = [];
  const byReason = new Map<string, number>();
  const counts = { received: 0, stored: 0, repeated: 0, deadLettered: 0, missedRecords: 0, batches: 0 };
  const abort = new AbortController();
  const write = createWorkWriter({ clock, log, logBus, store, deadLetters, signal: abort.signal });
  let repeats: RepeatFilter = createRepeatFilter();
  let lastCheckpoint: Checkpoint | undefined;
  let nextIndex = 0;
  /** What is being decoded and what is being written. */
  let collecting: Work | undefined;
  let writing: Work | undefined;
  let isLogBroken = false;
  let running: Promise<void> | undefined;

  async function open(): Promise<void> {
    const checkpoint = await store.open();
    const restored = createRepeatFilter(checkpoint?.repeats);
    repeats = restored;
    const { firstIndex, nextIndex: end } = logBus.stats();
    if (checkpoint === undefined) {
      nextIndex = firstIndex;
      return;
    }
    if (!decoder.restore(checkpoint.decoder)) log.warn('The births in the store are of another version; edges are asked for new ones');
    // Another log (its folder was lost or replaced) numbers from 0 again, an older copy of this one from its end; repeats are
    // known by their identity in both.
    nextIndex = restored.logId === logBus.id ? Math.min(checkpoint.nextIndex, end) : firstIndex;
    lastCheckpoint = { ...checkpoint, nextIndex };
  }

  function take(record: LogRecord, work: Work): void {
    if (record.index > work.nextIndex) missed(work.nextIndex, record.index);
    work.nextIndex = record.index + 1;
    const mark = work.batch.mark();
    const { message, edge, identity, identityCount, rejects, needsRebirth } = decoder.decode(record, work.batch);
    const rejected = rejects.reduce((sum, { samples }) => sum + samples, 0);
    counts.received += work.batch.length - mark.length + rejected;
    const seen = identity === undefined ? nothingSeen : repeats.filter(edge, identity, identityCount, work.batch, mark);
    work.repeated += seen.repeats;
    // What was refused the first time is a dead letter already.
    if (seen.isWhole) work.repeated += rejected;
    else for (const reject of rejects) keep(reject, record, work);
    if (message === undefined) return;
    work.oldestMs = Math.min(work.oldestMs, message.receivedMs);
    if (needsRebirth && requestRebirth(edge, message.receivedMs)) log.info({ edge }, 'Rebirth requested');
  }

  function keep(reject: Reject, record: LogRecord, work: Work): void {
    const { reason, detail } = reject;
    work.rejected += reject.samples;
    if (!byReason.has(reason)) {
      const level = reason === 'decoderFault' ? 'error' : 'warn';
      log[level]({ reason, detail, index: record.index }, 'First dead letter of this kind');
    }
    byReason.set(reason, (byReason.get(reason) ?? 0) + reject.samples);
    const letter = encodeDeadLetter({ ...reject, sourceLog: logBus.id, sourceIndex: record.index, record: record.payload });
    work.letters.push(letter);
    work.letterBytes += letter.length;
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
    while (work.batch.length < config.maxBatchSamples && work.letterBytes < maxLetterBytes && !abort.signal.aborted) {
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

  function missed(from: number, to: number): void {
    counts.missedRecords += to - from;
    log.error({ from, to }, 'Records of the log were gone before they could be stored');
  }

  async function writeOut(work: Work, checkpoint: Checkpoint): Promise<boolean> {
    writing = work;
    const isStored = await write(work, checkpoint);
    if (!isStored) return false;
    writing = undefined;
    lastCheckpoint = checkpoint;
    counts.batches++;
    counts.stored += work.batch.length;
    counts.repeated += work.repeated;
    counts.deadLettered += work.rejected;
    spare.push(work.batch);
    return true;
  }

  async function run(): Promise<void> {
    let written: Promise<boolean> = Promise.resolve(true);
    while (!abort.signal.aborted) {
      const work = createWork(spare.pop() ?? new SampleBatch(series, 16_384), nextIndex);
      collecting = work;
      await collect(work);
      nextIndex = work.nextIndex;
      const checkpoint = { nextIndex, decoder: decoder.snapshot(), repeats: repeats.snapshot(logBus.id) };
      // The next batch must not be stored when this one's predecessor was not.
      if (!(await written)) return;
      if (work.nextIndex === work.fromIndex) spare.push(work.batch);
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
      return {
        ...counts,
        deadLetteredByReason: Object.fromEntries(byReason),
        lagMs: oldestMs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, clock.now() - oldestMs),
        nextIndex,
      };
    },
    checkpoint: () => lastCheckpoint,
  };
}
