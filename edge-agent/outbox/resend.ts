import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { ResendRequest } from '@nhip/core/wire/outbox-identity';
import type { AckTracker } from './ack-tracker.ts';
import type { LossEntry } from './loss-entries.ts';
import type { LossLedger } from './loss-ledger.ts';
import { LossTally } from './loss-tally.ts';
import { placeRecord, type ReadRecords } from './place.ts';

/** The part of the log in which records of one stream can be. */
interface StreamRange {
  readonly fromIndex: number;
  readonly toIndex: number;
}

export interface FoundRecord {
  readonly record: LogRecord;
  /** Numbers [seq, end). */
  readonly seq: number;
  readonly end: number;
}

interface ResendDeps {
  readonly log: LogBus;
  readonly read: ReadRecords;
  readonly acks: AckTracker;
  readonly ledger: LossLedger;
  readonly clock: Clock;
  count(losses: readonly LossEntry[]): void;
  /** Behind the last number of the current stream on disk: what is above is not gone, it is not there yet. */
  durableEnd(): number;
}

/**
 * Makes the function that finds what the server asks for again. Records that are still to be sent are left out: they come by
 * themselves. Numbers that are neither in the log nor in a loss that will be reported anyway are counted as `outboxGone`, when
 * all has been looked at.
 */
export function createResend(deps: ResendDeps): (request: ResendRequest) => AsyncGenerator<FoundRecord> {
  const { log, read, acks, ledger, clock, count } = deps;
  return async function* resend(request) {
    const { stream, from } = request;
    const to = stream === ledger.current?.stream ? Math.min(request.to, deps.durableEnd()) : request.to;
    const gone = new Gone(from, to);
    for await (const found of recordsWith({ stream, from, to }, rangeOf(stream, ledger, log), read)) {
      gone.remove(found.seq, found.end);
      if (acks.isAcknowledged(found.record.index)) yield found;
    }
    for (const { stream: pendingStream, seqFrom, seqTo } of ledger.pending()) if (pendingStream === stream) gone.remove(seqFrom, seqTo);
    count(
      gone.parts.map(([seqFrom, seqTo]) => {
        const tally = new LossTally();
        tally.addUnknown(seqTo - seqFrom, clock.now(), clock.now());
        return { reason: 'outboxGone', stream, seqFrom, seqTo, tally };
      }),
    );
  };
}

/** Numbers that were not found. */
class Gone {
  parts: readonly (readonly [from: number, to: number])[];

  constructor(from: number, to: number) {
    this.parts = from < to ? [[from, to]] : [];
  }

  remove(from: number, to: number): void {
    this.parts = this.parts.flatMap(([first, end]) =>
      to <= first || from >= end ? [[first, end] as const] : [[first, from] as const, [to, end] as const].filter(([a, b]) => a < b),
    );
  }
}

function rangeOf(stream: string, { streams }: LossLedger, log: LogBus): StreamRange {
  const at = streams.findIndex((start) => start.stream === stream);
  const start = streams[at];
  if (start === undefined) return { fromIndex: 0, toIndex: 0 };
  const { firstIndex, nextIndex } = log.stats();
  return { fromIndex: Math.max(firstIndex, start.firstIndex), toIndex: streams[at + 1]?.firstIndex ?? nextIndex };
}

/** The records with any of the numbers asked for, in order. Numbers rise with the index within a stream, so the first is found by halving. */
async function* recordsWith(request: ResendRequest, range: StreamRange, read: ReadRecords): AsyncGenerator<FoundRecord> {
  let index = await firstIndexWith(request, range, read);
  while (index < range.toIndex) {
    const records = await read(index);
    if (records.length === 0) return;
    for (const record of records) {
      index = record.index + 1;
      if (record.index >= range.toIndex) return;
      const place = placeRecord(record);
      if (place === undefined || place.stream !== request.stream) continue;
      if (place.seq >= request.to) return;
      if (place.end > request.from) yield { record, seq: place.seq, end: place.end };
    }
  }
}

async function firstIndexWith({ stream, from }: ResendRequest, range: StreamRange, read: ReadRecords): Promise<number> {
  let [low, high] = [range.fromIndex, range.toIndex];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await nextOf(stream, middle, high, read);
    if (found === undefined || found.end > from) high = middle;
    else low = found.index + 1;
  }
  return low;
}

/** The first record of `stream` in [index, toIndex) that can be read. */
async function nextOf(
  stream: string,
  index: number,
  toIndex: number,
  read: ReadRecords,
): Promise<{ readonly index: number; readonly end: number } | undefined> {
  for (let next = index; next < toIndex; ) {
    const records = await read(next);
    if (records.length === 0) return undefined;
    for (const record of records) {
      next = record.index + 1;
      if (record.index >= toIndex) return undefined;
      const place = placeRecord(record);
      if (place?.stream === stream) return place;
    }
  }
  return undefined;
}
