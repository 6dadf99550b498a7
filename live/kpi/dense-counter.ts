import type { Timed } from '@nhip/core/kpi/production';
import type { Span } from '@nhip/core/kpi/span';
import type { HistoryStore, SeriesName } from '@nhip/stores/history-store';

/** Lengths of buckets that may be tried, longest first. */
const lengthsMs = [3_600_000, 1_800_000, 900_000, 600_000, 300_000, 60_000];

/** The longest bucket whose limits are at all of these times; undefined: none is. */
export function bucketLength(times: readonly number[]): number | undefined {
  return lengthsMs.find((lengthMs) => times.every((t) => t % lengthMs === 0));
}

export interface DenseQuery extends Span {
  /** `from`, `to` and all cuts between them are multiples of it. */
  readonly everyMs: number;
  /** Where product or ideal cycle time change, in order. */
  readonly changesMs: readonly number[];
}

/**
 * A counter that is read very often, as few readings that show the same: the last before the span, then the last of each bucket at the
 * begin of the bucket. Where it drops within a bucket, or between two, or where what a piece counts for changes within one, all readings
 * of the bucket are there. So gains of every stretch between cuts are exactly those of all readings, as long as what a piece counts for
 * is a whole number of ms.
 */
export async function readDense(
  store: HistoryStore,
  { machine, metric }: SeriesName,
  { from, to, everyMs, changesMs }: DenseQuery,
): Promise<readonly Timed<number>[]> {
  const before = await store.lastBefore(machine, metric, from);
  const buckets = await store.buckets({ machine, metric, fromMs: from, toMs: to, everyMs, limit: Math.ceil((to - from) / everyMs) + 1 });
  const readings: Timed<number>[] = typeof before?.v === 'number' ? [{ t: before.t, v: before.v }] : [];
  let last = readings[0]?.v;
  for (const [i, t] of buckets.t.entries()) {
    const [min, max, newest] = [buckets.min[i] ?? 0, buckets.max[i] ?? 0, buckets.last[i] ?? 0];
    const changes = changesMs.some((at) => at > t && at < t + everyMs);
    if (changes || max !== newest || min < (last ?? 0) || last === undefined)
      readings.push(...(await allReadings(store, { machine, metric }, { from: t, to: t + everyMs })));
    else readings.push({ t, v: newest });
    last = newest;
  }
  return readings;
}

async function allReadings(store: HistoryStore, { machine, metric }: SeriesName, { from, to }: Span): Promise<readonly Timed<number>[]> {
  const { t, v } = await store.range({ machine, metric, fromMs: from, toMs: to, limit: maxReadings });
  if (t.length >= maxReadings) throw new RangeError(`${machine} ${metric} has more than ${maxReadings} readings within ${to - from} ms`);
  return t.flatMap((at, i) => (typeof v[i] === 'number' ? [{ t: at, v: v[i] }] : []));
}

/** In one bucket: an hour of 100 readings a second. */
const maxReadings = 400_000;
