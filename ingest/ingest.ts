import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { createDecoder, type Decoder, type Reject } from '@nhip/core/telemetry/decoder';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import type { IngestConfig } from './config.ts';
import { encodeDeadLetter } from './dead-letters.ts';
import { createRebirthRequester, type SendNodeCommand } from './rebirth.ts';
import { createRepeatFilter, type RepeatFilter } from './repeat-filter.ts';

export interface IngestDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logBus: LogBus;
  readonly store: HistoryStore;
  /** Where dead letters go: a log of its own. */
  readonly deadLetters: LogBus;
  readonly sendNodeCommand: SendNodeCommand;
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
  /** Age of the oldest record that is read but not stored; 0 when everything is stored. */
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

export const ingestReader = 'ingest';

/** One decoded batch and where it leads. */
interface Work {
  readonly batch: SampleBatch;
  readonly letters: Uint8Array[];
  nextIndex: number;
  oldestMs: number;
  repeated: number;
  rejected: number;
}

/**
 * The ingest role: log → samples → store → cursor. Reading and decoding the next batch goes on while the last one is
 * being written. A store that fails is tried again for ever with back-off; the log is the buffer.
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
  let repeats: RepeatFilter = createRepeatFilter();
  let lastCheckpoint: Checkpoint | undefined;
  let nextIndex = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  let running: Promise<void> | undefined;

  async function open(): Promise<void> {
    const checkpoint = await store.open();
    const restored = createRepeatFilter(checkpoint?.repeats);
    repeats = restored;
    if (checkpoint === undefined) nextIndex = logBus.stats().firstIndex;
    else {
      decoder.restore(checkpoint.decoder);
      lastCheckpoint = checkpoint;
      // Another log (its folder was lost or replaced) numbers from 0 again; repeats are still known by their identity.
      nextIndex = restored.logId === logBus.id ? checkpoint.nextIndex : logBus.stats().firstIndex;
    }
  }

  function newWork(): Work {
    const batch = spare.pop() ?? new SampleBatch(series, 16_384);
    batch.clear();
    return { batch, letters: [], nextIndex, oldestMs: Number.POSITIVE_INFINITY, repeated: 0, rejected: 0 };
  }

  function take(record: LogRecord, work: Work): void {
    const mark = work.batch.mark();
    const decoded = decoder.decode(record, work.batch);
    counts.received += work.batch.length - mark.length + decoded.rejects.length;
    if (decoded.identity !== undefined) {
      const known = decoded.identityCount;
      work.repeated += repeats.filter(decoded.edge, decoded.identity, known, work.batch, mark);
    }
    for (const reject of decoded.rejects) keep(reject, record, work);
    if (decoded.message !== undefined) work.oldestMs = Math.min(work.oldestMs, decoded.message.receivedMs);
    if (decoded.needsRebirth && decoded.message !== undefined && requestRebirth(decoded.edge, decoded.message.receivedMs)) {
      log.info({ edge: decoded.edge }, 'Rebirth requested');
    }
    work.nextIndex = record.index + 1;
  }

  function keep(reject: Reject, record: LogRecord, work: Work): void {
    work.rejected += reject.samples;
    if (!byReason.has(reject.reason)) log.warn({ reason: reject.reason, detail: reject.detail }, 'First dead letter of this kind');
    byReason.set(reject.reason, (byReason.get(reject.reason) ?? 0) + reject.samples);
    work.letters.push(encodeDeadLetter({ ...reject, sourceIndex: record.index, record: record.payload }));
  }

  async function read(index: number, waitMs: number): Promise<readonly LogRecord[]> {
    try {
      return await logBus.read(index, { maxRecords: 2048, maxBytes: 2_097_152, waitMs, signal: abort.signal });
    } catch (error) {
      if (abort.signal.aborted) return [];
      throw error;
    }
  }

  /** Reads until the batch is full, or its age has reached the commit interval. */
  async function collect(): Promise<Work> {
    const work = newWork();
    const until = clock.monotonic() + config.commitIntervalMs;
    while (work.batch.length < config.maxBatchSamples && !abort.signal.aborted) {
      const isEmpty = work.nextIndex === nextIndex;
      const waitMs = isEmpty ? 1000 : Math.max(0, until - clock.monotonic());
      const records = await read(work.nextIndex, waitMs);
      const first = records[0];
      if (first === undefined) {
        if (isEmpty) continue;
        break;
      }
      if (first.index > work.nextIndex) missed(work.nextIndex, first.index);
      for (const record of records) take(record, work);
      oldestMs = Math.min(oldestMs, work.oldestMs);
      if (clock.monotonic() >= until) break;
    }
    nextIndex = work.nextIndex;
    return work;
  }

  function missed(from: number, to: number): void {
    counts.missedRecords += to - from;
    log.error({ from, to }, 'Records of the log were gone before they could be stored');
  }

  async function storeOnce(work: Work, checkpoint: Checkpoint): Promise<void> {
    await Promise.all(work.letters.map((letter) => deadLetters.append(letter)));
    // A second try of the same batch must not write the letters again.
    work.letters.length = 0;
    await store.write(work.batch, checkpoint);
    lastCheckpoint = checkpoint;
    await logBus.commit(ingestReader, checkpoint.nextIndex);
    counts.batches++;
    counts.stored += work.batch.length;
    counts.repeated += work.repeated;
    counts.deadLettered += work.rejected;
    spare.push(work.batch);
  }

  /** Tries until it works or the role stops: nothing is given up because a store is down. */
  async function storeForEver(work: Work, checkpoint: Checkpoint): Promise<void> {
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 10_000)) {
      try {
        await storeOnce(work, checkpoint);
        return;
      } catch (error) {
        log.error({ err: error, delayMs }, 'Batch could not be stored, will try again');
        if (abort.signal.aborted) return;
        await clock.sleep(delayMs, abort.signal).catch(() => undefined);
      }
    }
  }

  async function run(): Promise<void> {
    let writing: Promise<void> = Promise.resolve();
    while (!abort.signal.aborted) {
      const work = await collect();
      const checkpoint = { nextIndex: work.nextIndex, decoder: decoder.snapshot(), repeats: repeats.snapshot(logBus.id) };
      await writing;
      if (work.nextIndex === lastCheckpoint?.nextIndex) continue;
      writing = storeForEver(work, checkpoint).then(() => {
        if (nextIndex === checkpoint.nextIndex) oldestMs = Number.POSITIVE_INFINITY;
      });
    }
    await writing;
  }

  return {
    async start() {
      await open();
      running = run();
      running.catch((error: unknown) => log.fatal({ err: error }, 'Ingest stopped'));
    },
    async stop() {
      abort.abort();
      await running;
    },
    stats: () => ({
      ...counts,
      deadLetteredByReason: Object.fromEntries(byReason),
      lagMs: oldestMs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, clock.now() - oldestMs),
      nextIndex,
    }),
    checkpoint: () => lastCheckpoint,
  };
}
