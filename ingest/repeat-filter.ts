import type { IntervalSet } from '@nhip/core/telemetry/interval-set';
import { placeOf } from '@nhip/core/telemetry/outcome';
import type { Places, Reject, RejectRow } from '@nhip/core/telemetry/rejects';
import type { BatchMark, SampleBatch } from '@nhip/core/telemetry/sample-batch';

/** One message with the numbers [seq, seq + count) of an outbox; its samples were pushed to `batch` since `mark`. */
export interface NumberedMessage {
  readonly seq: number;
  readonly count: number;
  readonly batch: SampleBatch;
  readonly mark: BatchMark;
  readonly rejects: readonly Reject[];
  /** Tick of the sample with number `seq`. */
  readonly firstTick: number;
}

/** What of a message is new. */
export interface NewPart {
  /** Samples that were repeats, also such as would have been rejected again. */
  readonly repeats: number;
  readonly rejects: readonly Reject[];
}

/**
 * Keeps of the message only what `seen` does not have, in the batch and of the rejects, and adds its numbers to `seen`. Edges send
 * again what they are not sure of, and may cut their messages differently the second time.
 */
export function takeNew(seen: IntervalSet, message: NumberedMessage): NewPart {
  const { seq, count, batch, mark, rejects, firstTick } = message;
  const overlap = seen.overlap(seq, seq + count);
  if (overlap === 0) {
    seen.add(seq, seq + count);
    return { repeats: 0, rejects };
  }
  const total = batch.length - mark.length + samplesOf(rejects);
  if (overlap === count) {
    batch.rewind(mark);
    return { repeats: total, rejects: [] };
  }
  batch.keep(mark, (row) => !seen.has(seq + placeOf(batch.tick[row] as number, firstTick)));
  const kept = rejects.map((reject) => withoutSeen(reject, seen, seq)).filter(({ samples }) => samples > 0);
  seen.add(seq, seq + count);
  return { repeats: total - (batch.length - mark.length) - samplesOf(kept), rejects: kept };
}

function withoutSeen(reject: Reject, seen: IntervalSet, seq: number): Reject {
  const rows = reject.rows.map((row) => restrict(row, seen, seq)).filter(({ samples }) => samples > 0);
  return { ...reject, rows, samples: rows.reduce((sum, { samples }) => sum + samples, 0) };
}

function restrict(row: RejectRow, seen: IntervalSet, seq: number): RejectRow {
  const places: Places = row.places.flatMap(([from, to]) => seen.gaps(seq + from, seq + to).map(([a, b]) => [a - seq, b - seq] as const));
  return { ...row, places, samples: places.reduce((sum, [from, to]) => sum + to - from, 0) };
}

export function samplesOf(rejects: readonly Reject[]): number {
  return rejects.reduce((sum, { samples }) => sum + samples, 0);
}
