import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import type { BatchMark, SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { OutboxIdentity } from '@nhip/core/wire/outbox-identity';

/** What a filter found. */
export interface Seen {
  /** Samples that were repeats. */
  readonly repeats: number;
  /** Whether every number of the message was known. */
  readonly isWhole: boolean;
}

export const nothingSeen: Seen = { repeats: 0, isWhole: false };

/**
 * Which samples of which outbox were already taken, by (edge, stream, seq): edges send again what they are not sure of.
 * The edge comes from the credential's topic, so that no edge can mark another's samples as seen.
 */
export interface RepeatFilter {
  /**
   * Keeps of the samples pushed since `mark` only those whose number is new, and remembers the numbers.
   * `count` is how many numbers the message takes.
   */
  filter(edge: string, identity: OutboxIdentity, count: number, batch: SampleBatch, mark: BatchMark): Seen;
  /** State for the checkpoint; `createRepeatFilter` takes it back. */
  snapshot(logId: string): Uint8Array;
}

interface Stored {
  readonly logId: string;
  readonly streams: readonly { readonly key: string; readonly intervals: readonly (readonly [number, number])[] }[];
}

/** A stream that sends this scattered is not one of our edges; its oldest gaps are given up, so that memory stays bounded. */
const maxIntervals = 1024;

/** An edge has one stream, and a new one when its outbox was lost. The longest unused is forgotten beyond this. */
const maxStreamsPerEdge = 8;

/** `state` as `snapshot` gave it, empty or absent for a new one. `logId` is the log that the state belongs to. */
export function createRepeatFilter(state?: Uint8Array): RepeatFilter & { readonly logId: string | undefined } {
  const stored = state === undefined || state.length === 0 ? undefined : (JSON.parse(new TextDecoder().decode(state)) as Stored);
  const edges = new Map<string, Map<string, IntervalSet>>();
  for (const { key, intervals } of stored?.streams ?? []) {
    const end = key.lastIndexOf('/');
    streamsOf(key.slice(0, end)).set(key.slice(end + 1), new IntervalSet(intervals));
  }

  function streamsOf(edge: string): Map<string, IntervalSet> {
    let streams = edges.get(edge);
    if (streams === undefined) {
      streams = new Map();
      edges.set(edge, streams);
    }
    return streams;
  }

  /** Of the streams of an edge the one used last comes last. */
  function seenBy(edge: string, stream: string): IntervalSet {
    const streams = streamsOf(edge);
    const seen = streams.get(stream) ?? new IntervalSet();
    if (streams.size > 1) streams.delete(stream);
    streams.set(stream, seen);
    if (streams.size > maxStreamsPerEdge) {
      const [longestUnused] = streams.keys();
      if (longestUnused !== undefined) streams.delete(longestUnused);
    }
    return seen;
  }

  return {
    logId: stored?.logId,

    filter(edge, identity, count, batch, mark) {
      if (count === 0) return nothingSeen;
      const seen = seenBy(edge, identity.stream);
      const overlap = seen.overlap(identity.seq, identity.seq + count);
      if (overlap === count) {
        const repeats = batch.length - mark.length;
        batch.rewind(mark);
        return { repeats, isWhole: true };
      }
      const repeats = overlap === 0 ? 0 : dropSeen(seen, identity.seq, count, batch, mark);
      seen.add(identity.seq, identity.seq + count);
      if (seen.intervalCount > maxIntervals) seen.closeFirstGap();
      return { repeats, isWhole: false };
    },

    snapshot(logId) {
      const streams = [...edges].flatMap(([edge, sets]) =>
        [...sets].map(([stream, set]) => ({ key: `${edge}/${stream}`, intervals: set.intervals() })),
      );
      return new TextEncoder().encode(JSON.stringify({ logId, streams } satisfies Stored));
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
