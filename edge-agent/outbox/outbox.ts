import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import type { LossReport } from '@nhip/core/wire/loss';
import { type OutboxIdentity, type ResendRequest, streamFromText, streamText } from '@nhip/core/wire/outbox-identity';
import type { MetricDefinition, Reading } from '../driver.ts';
import { type AckTracker, createAckTracker } from './ack-tracker.ts';
import { createIntake, type Intake } from './intake.ts';
import type { StreamStart } from './ledger-text.ts';
import type { LossEntry } from './loss-entries.ts';
import { LossLedger } from './loss-ledger.ts';
import { LossTally, tallyLimits } from './loss-tally.ts';
import { lossesOf, unreadableParts } from './lost-range.ts';
import { lastBefore, nextReadable, type PlacedRecord, type ReadRecords } from './place.ts';
import { createReleased } from './released.ts';
import { createResend, type FoundRecord } from './resend.ts';

/** The log's reader whose cursor says what was acknowledged. */
export const publisherReader = 'publisher';

export interface OutboxConfig {
  readonly maxBytes: number;
  readonly commitDelayMs: number;
  /** Larger records are split: what the broker refuses could never be sent. Reports of losses stay below it, too. */
  readonly maxRecordBytes: number;
  /** Size of one of the two slots of the loss ledger; default 512 KiB. */
  readonly ledgerSlotBytes?: number | undefined;
}

/** The edge's disk queue: a sample is here before anything else happens to it, and leaves it acknowledged or counted as lost. */
export interface Outbox {
  readonly log: LogBus;
  /** Which records of the log are done with. */
  readonly acks: AckTracker;
  /** Takes the samples of one device; resolves when they are on disk, or lost and counted. Never rejects. */
  append(device: string, readings: readonly Reading[], definitions: ReadonlyMap<string, MetricDefinition>): Promise<void>;
  /** Makes the acknowledged place durable. */
  commitAcks(): Promise<void>;
  /**
   * Records of [fromIndex, toIndex) cannot be read: counts those that are not acknowledged, then acknowledges them. What can be read
   * all the same is left as it is: the next session sends it.
   */
  missing(fromIndex: number, toIndex: number): Promise<void>;
  /** Every number of the stream below it was acknowledged or is part of an acknowledged report; undefined while it is not known. */
  released(): Promise<OutboxIdentity | undefined>;
  /** The next loss to report; the same one until it is acknowledged. Undefined when there is none. */
  nextReport(): Promise<LossReport | undefined>;
  acknowledgeReport(no: number): void;
  /** Losses whose report was not acknowledged yet. */
  pendingLosses(): number;
  /** Acknowledged records with any of the numbers asked for; what the outbox no longer has becomes a loss at the end. */
  resend(request: ResendRequest): AsyncIterable<FoundRecord>;
  /** Samples since the process started: taken, and lost for whatever reason. */
  counts(): { readonly recorded: number; readonly lost: number };
  close(): Promise<void>;
}

/**
 * Opens the outbox in `folder` of the environment's disk. Numbering goes on above the last record and the last report; when the
 * last record or the ledger cannot be read, or the end of the log was cut off, a new stream begins, so that no number is used again.
 */
export async function openOutbox(
  env: Env,
  folder: string,
  config: OutboxConfig,
  deps: { readonly log: Log; readonly tracing?: Tracing | undefined; onFatal(error: Error): void },
): Promise<Outbox> {
  const limits = tallyLimits(config.maxRecordBytes);
  const ledger = await LossLedger.open(env, folder, {
    limits,
    slotBytes: config.ledgerSlotBytes ?? 524_288,
    log: deps.log,
    onFatal: deps.onFatal,
  });
  let acks: AckTracker | undefined;
  let intake: Intake | undefined;
  let givenUp = 0;
  /** Records below it are in the ledger, durable or not: an eviction that is tried again must not count them twice. */
  let countedBelow = 0;
  /** Records below it are in the ledger on disk. */
  let evictedBelow = 0;

  const count = (entries: readonly LossEntry[]): void => {
    for (const entry of entries) {
      ledger.add(entry);
      givenUp += entry.tally.samples;
    }
  };
  /** Evictions take the oldest: what they took lies below every record that is there. */
  const accountedBelow = (stream: string): number => {
    const evicted = ledger.pending().filter((entry) => entry.stream === stream && entry.reason === 'outboxQuota');
    return Math.max(stream === ledger.current?.stream ? ledger.releasedSeq : 0, ...evicted.map(({ seqTo }) => seqTo));
  };
  const log = await openSegmentLog(env, `${folder}/log`, {
    segmentBytes: 4_194_304,
    commitDelayMs: config.commitDelayMs,
    maxBytes: config.maxBytes,
    keepTailBytes: Math.floor(config.maxBytes / 4),
    keepTailMs: 86_400_000,
    readers: [publisherReader],
    log: deps.log,
    onFatal: deps.onFatal,
    onRefused: () => intake?.refused(),
    async onEvicted({ fromIndex, toIndex }, read) {
      const from = Math.max(fromIndex, countedBelow);
      if (from < toIndex) {
        const known = { acks: acks ?? createAckTracker(fromIndex), limits, accountedBelow, end: undefined };
        count(await lossesOf({ fromIndex: from, toIndex, reason: 'outboxQuota' }, read, known));
        countedBelow = toIndex;
      }
      await ledger.sync();
      evictedBelow = toIndex;
      acks?.acknowledge(fromIndex, toIndex);
    },
  });
  const read: ReadRecords = (index) => log.read(index, { maxRecords: 64, maxBytes: 65_536, waitMs: 0 });
  const readOne: ReadRecords = (index) => log.read(index, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
  const tracker = createAckTracker(log.cursor(publisherReader));
  // Given up while the log was opened.
  tracker.acknowledge(tracker.cursor(), Math.max(tracker.cursor(), evictedBelow));
  acks = tracker;

  const { nextIndex, cutBytes } = log.stats();
  const last = nextIndex === 0 ? undefined : await nextReadable(readOne, nextIndex - 1);
  const isNew = nextIndex === 0 && ledger.current === undefined;
  const { current, reached } = ledger;
  const isSameLog = ledger.streamLogId === log.id;
  if (current !== undefined) {
    const found = isSameLog ? (last ?? (await lastBefore(read, nextIndex))) : undefined;
    const isDone = isSameLog && log.cursor(publisherReader) >= reached.index;
    if (!isDone) count(cutOff(current.stream, found?.stream === current.stream ? found : undefined, ledger));
  }
  // Numbers that may have been sent are known by the last record; by the ledger when nothing was written after it. What was cut off
  // the end of the log may have been sent.
  const isKnown = last?.stream === current?.stream || nextIndex <= reached.index;
  const goesOn = current !== undefined && isSameLog && isKnown && (cutBytes === 0 || ledger.wasStopped);
  if (!goesOn) {
    const older = await streamsOf(log, read);
    ledger.beginStream(log.id, { stream: streamText(env.random.bytes(16)), firstIndex: nextIndex }, older);
  }
  const stream = ledger.current?.stream ?? '';
  const firstSeq = goesOn ? Math.max(ledger.highest, reached.seq, last?.stream === stream ? last.end : 0) : 0;
  ledger.reached = { index: nextIndex, seq: firstSeq };
  if (!isNew) ledger.add(downSince(Math.max(ledger.stoppedMs, last?.toMs ?? 0), env.clock.now(), stream, firstSeq));
  await ledger.sync().catch(() => undefined);

  const taking = createIntake(streamFromText(stream), firstSeq, {
    clock: env.clock,
    log: deps.log,
    ledger,
    maxRecordBytes: config.maxRecordBytes,
    appendToLog: (record) => log.append(record),
    tracing: deps.tracing,
  });
  intake = taking;
  const released = createReleased({
    log,
    readOne,
    durableCursor: () => log.cursor(publisherReader),
    ledger,
    durableEnd: () => ({ stream, seq: taking.durableEnd() }),
  });
  let committed = tracker.cursor();

  return {
    log,
    acks: tracker,
    append: (device, readings, definitions) => taking.append(device, readings, definitions),
    async commitAcks() {
      const cursor = tracker.cursor();
      if (cursor === committed) return;
      await log.commit(publisherReader, cursor);
      committed = cursor;
      ledger.noteProgress();
    },
    async missing(fromIndex, toIndex) {
      const gaps = await unreadableParts(tracker.open(fromIndex, toIndex), read);
      for (const [from, to] of gaps) {
        const end = to >= log.stats().nextIndex ? { stream, seq: taking.durableEnd() } : undefined;
        const known = { acks: tracker, limits, accountedBelow, end };
        count(await lossesOf({ fromIndex: from, toIndex: to, reason: 'outboxDamaged' }, read, known));
      }
      await ledger.sync();
      for (const [from, to] of gaps) tracker.acknowledge(from, to);
    },
    released,
    nextReport: () => ledger.nextReport((samples) => taking.take(samples)),
    pendingLosses: () => ledger.pendingReports,
    acknowledgeReport: (no) => ledger.acknowledge(no),
    resend: createResend({ log, read, acks: tracker, ledger, clock: env.clock, count, durableEnd: () => taking.durableEnd() }),
    counts() {
      const { recorded, lost } = taking.counts();
      return { recorded, lost: lost + givenUp };
    },
    async close() {
      // The ledger keeps how far it was, for the day on which the log is gone.
      await released().catch(() => undefined);
      await log.close();
      await ledger.close();
    },
  };
}

/** Numbers that the log once had on disk and has no more: its end was damaged and cut off, or the log was replaced. */
function cutOff(stream: string, last: PlacedRecord | undefined, ledger: LossLedger): readonly LossEntry[] {
  const seqFrom = last?.end ?? ledger.releasedSeq;
  const seqTo = ledger.reached.seq;
  if (seqFrom >= seqTo) return [];
  const tally = new LossTally();
  tally.addUnknown(seqTo - seqFrom, last?.toMs ?? ledger.stoppedMs, Math.max(last?.toMs ?? 0, ledger.stoppedMs));
  return [{ reason: 'outboxDamaged', stream, seqFrom, seqTo, tally }];
}

/** The streams of the oldest and the newest record, for a ledger that does not know them. */
async function streamsOf(log: LogBus, read: ReadRecords): Promise<readonly StreamStart[]> {
  const { firstIndex, nextIndex } = log.stats();
  const ends = [await nextReadable(read, firstIndex), await nextReadable(read, Math.max(firstIndex, nextIndex - 1))];
  const found = ends.filter((place): place is PlacedRecord => place !== undefined);
  return found.filter(({ stream }, i) => found[i - 1]?.stream !== stream).map(({ stream, index }) => ({ stream, firstIndex: index }));
}

function downSince(fromMs: number, nowMs: number, stream: string, seq: number): LossEntry {
  const tally = new LossTally();
  tally.addUnknown(0, Math.max(0, Math.min(fromMs, nowMs)), Math.max(0, nowMs));
  return { reason: 'agentDown', stream, seqFrom: seq, seqTo: seq, tally };
}
