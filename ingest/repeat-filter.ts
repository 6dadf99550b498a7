import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import type { BatchMark, SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { OutboxIdentity } from '@nhip/core/wire/outbox-identity';

/**
 * Which samples of which outbox were already taken, by (edge, stream, seq): edges send again what they are not sure of.
 * The edge comes from the credential's topic, so that no edge can mark another's samples as seen.
 */
export interface RepeatFilter {
  /**
   * Keeps of the samples pushed since `mark` only those whose number is new, and remembers the numbers.
   * `count` is how many numbers the message takes. Returns how many samples were repeats.
   */
  filter(edge: string, identity: OutboxIdentity, count: number, batch: SampleBatch, mark: BatchMark): number;
  /** State for the checkpoint; `restore` takes it back. */
  snapshot(logId: string): Uint8Array;
}

interface Stored {
  readonly logId: string;
  readonly streams: readonly { readonly key: string; readonly intervals: readonly (readonly [number, number])[] }[];
}

/** A stream that sends this scattered is not one of our edges; its oldest gaps are given up, so that memory stays bounded. */
const maxIntervals = 4096;

export function createRepeatFilter(state?: Uint8Array): RepeatFilter & { readonly logId: string | undefined } {
  const stored = state === undefined || state.length === 0 ? undefined : (JSON.parse(new TextDecoder().decode(state)) as Stored);
  const streams = new Map<string, IntervalSet>(stored?.streams.map(({ key, intervals }) => [key, new IntervalSet(intervals)]));

  return {
    logId: stored?.logId,

    filter(edge, identity, count, batch, mark) {
      const key = `${edge}/${identity.stream}`;
      let seen = streams.get(key);
      if (seen === undefined) {
        seen = new IntervalSet();
        streams.set(key, seen);
      }
      const overlap = seen.overlap(identity.seq, identity.seq + count);
      let repeats = 0;
      if (overlap === count && count > 0) {
        repeats = batch.length - mark.length;
        batch.rewind(mark);
      } else if (overlap > 0) {
        repeats = dropSeen(seen, identity.seq, count, batch, mark);
      }
      seen.add(identity.seq, identity.seq + count);
      if (seen.intervalCount > maxIntervals) {
        const [first] = seen.intervals();
        const [second] = seen.intervals().slice(1);
        if (first !== undefined && second !== undefined) seen.add(first[0], second[1]);
      }
      return repeats;
    },

    snapshot(logId) {
      const list = [...streams].map(([key, set]) => ({ key, intervals: set.intervals() }));
      return new TextEncoder().encode(JSON.stringify({ logId, streams: list } satisfies Stored));
    },
  };
}

/** Partial overlap (an edge that cuts its messages differently the second time): sample by sample, by its tick. */
function dropSeen(seen: IntervalSet, seq: number, count: number, batch: SampleBatch, mark: BatchMark): number {
  const kept: { readonly i: number; readonly value: ReturnType<SampleBatch['value']> }[] = [];
  const total = batch.length - mark.length;
  for (let i = mark.length; i < batch.length; i++) {
    const offset = ((batch.tick[i] as number) - (seq % 1_000_000) + 1_000_000) % 1_000_000;
    if (offset >= count || !seen.has(seq + offset)) kept.push({ i, value: batch.value(i) });
  }
  const rows = kept.map(({ i, value }) => ({
    series: batch.seriesId[i] as number,
    time: batch.timeMs[i] as number,
    tick: batch.tick[i] as number,
    quality: batch.quality[i] as number,
    historical: batch.historical[i] === 1,
    value,
  }));
  batch.rewind(mark);
  for (const row of rows) batch.push(row.series, row.time, row.tick, row.value, row.quality, row.historical);
  return total - rows.length;
}
