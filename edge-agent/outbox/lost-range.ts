import type { LossReason } from '@nhip/core/wire/loss';
import type { OutboxIdentity } from '@nhip/core/wire/outbox-identity';
import type { AckTracker } from './ack-tracker.ts';
import type { LossEntry } from './loss-entries.ts';
import { LossTally, type TallyLimits } from './loss-tally.ts';
import { lastBefore, type PlacedRecord, placedRecords, type ReadRecords } from './place.ts';

interface Part {
  readonly stream: string;
  readonly seqFrom: number;
  seqTo: number;
  readonly tally: LossTally;
}

interface LostRange {
  readonly fromIndex: number;
  readonly toIndex: number;
  /** Why the records that can still be read are lost. */
  readonly reason: LossReason;
}

/** What the outbox knows beside its records. */
interface Known {
  readonly acks: Pick<AckTracker, 'isAcknowledged' | 'open'>;
  readonly limits: TallyLimits;
  /** A number of the stream below which all are acknowledged, or counted, as far as no record that is there has them. */
  accountedBelow(stream: string): number;
  /** Behind the last number on disk, when the range reaches the end of the log. */
  readonly end: OutboxIdentity | undefined;
}

/**
 * What is lost with the records [fromIndex, toIndex), by number: acknowledged ones are not lost. Numbers of records that cannot be read
 * come from their neighbours, as `outboxDamaged`; where a stream ends in the gap, only a time is told of it. Numbers between
 * readable records that follow each other belong to losses that were counted when they happened.
 */
export async function lossesOf(
  { fromIndex, toIndex, reason }: LostRange,
  read: ReadRecords,
  { acks, limits, accountedBelow, end }: Known,
): Promise<readonly LossEntry[]> {
  const entries: LossEntry[] = [];
  let part: Part | undefined;
  let before: PlacedRecord | undefined;
  let nextIndex = fromIndex;

  const endPart = (): void => {
    if (part !== undefined) entries.push({ reason, ...part });
    part = undefined;
  };
  /** Records [nextIndex, index) are missing. */
  const skipTo = async (index: number, after: Border | undefined): Promise<void> => {
    if (acks.open(nextIndex, index).length === 0) return;
    endPart();
    entries.push(...damaged(before ?? (await lastBefore(read, nextIndex)), after, accountedBelow));
  };

  for await (const place of placedRecords(read, fromIndex, toIndex)) {
    await skipTo(Math.min(place.index, toIndex), { stream: place.stream, seq: place.seq, timeMs: place.fromMs });
    nextIndex = place.index + 1;
    if (place.index >= toIndex) break;
    if (acks.isAcknowledged(place.index)) {
      endPart();
    } else {
      const tally = new LossTally();
      for (const { name, timestampMs } of place.metrics) tally.add(place.device, name ?? '', timestampMs ?? 0);
      if (part === undefined || part.stream !== place.stream || part.seqTo !== place.seq || !part.tally.fitsWith(tally, limits)) {
        endPart();
        part = { stream: place.stream, seqFrom: place.seq, seqTo: place.end, tally };
      } else {
        part.tally.merge(tally);
        part.seqTo = place.end;
      }
    }
    before = place;
  }
  if (nextIndex < toIndex) await skipTo(toIndex, end === undefined ? undefined : { ...end, timeMs: undefined });
  endPart();
  return entries;
}

type Range = readonly [from: number, to: number];

/** The parts of `ranges` in which no record can be read. */
export async function unreadableParts(ranges: readonly Range[], read: ReadRecords): Promise<readonly Range[]> {
  const parts: Range[] = [];
  for (const [from, to] of ranges) {
    let next = from;
    for await (const { index } of placedRecords(read, from, to)) {
      if (index > next) parts.push([next, Math.min(index, to)]);
      next = index + 1;
    }
    if (next < to) parts.push([next, to]);
  }
  return parts;
}

/** Where readable records begin again. */
interface Border {
  readonly stream: string;
  readonly seq: number;
  readonly timeMs: number | undefined;
}

/** The numbers between `before` and `after`. */
function damaged(
  before: PlacedRecord | undefined,
  after: Border | undefined,
  accountedBelow: Known['accountedBelow'],
): readonly LossEntry[] {
  const fromMs = before?.toMs ?? after?.timeMs ?? 0;
  const toMs = Math.max(after?.timeMs ?? 0, fromMs);
  const entry = (stream: string, seqFrom: number, seqTo: number): LossEntry => {
    const tally = new LossTally();
    tally.addUnknown(seqTo - seqFrom, fromMs, toMs);
    return { reason: 'outboxDamaged', stream, seqFrom, seqTo, tally };
  };
  const entries = before !== undefined && before.stream !== after?.stream ? [entry(before.stream, before.end, before.end)] : [];
  if (after !== undefined) {
    const seqFrom = before?.stream === after.stream ? before.end : accountedBelow(after.stream);
    if (seqFrom < after.seq) entries.push(entry(after.stream, seqFrom, after.seq));
  }
  return entries;
}
