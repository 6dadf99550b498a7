import { PermanentError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import type { Buckets, Checkpoint, Columns, HistoryStore, RangeQuery, SeriesInfo } from '@nhip/stores/history-store';

interface Row {
  readonly t: number;
  readonly tick: number;
  readonly v: Value;
  readonly q: number;
}

/** What outlives a memory store that is closed and opened again. */
export interface MemoryPlace {
  readonly series: SeriesInfo[];
  readonly rows: Row[][];
  checkpoint: Checkpoint | undefined;
}

export function createMemoryPlace(): MemoryPlace {
  return { series: [], rows: [], checkpoint: undefined };
}

/** The history contract in memory: small, for tests; passes the suite of the contract. */
export function createMemoryStore(place: MemoryPlace = createMemoryPlace()): HistoryStore {
  function rowsOf(machine: string, metric: string): Row[] {
    const found = place.series.find((series) => series.machine === machine && series.metric === metric);
    return (found === undefined ? undefined : place.rows[found.id]) ?? [];
  }

  function rowsToWrite(machine: string, metric: string): Row[] {
    if (!place.series.some((series) => series.machine === machine && series.metric === metric)) {
      place.series.push({ id: place.series.length, machine, metric });
      place.rows.push([]);
    }
    return rowsOf(machine, metric);
  }

  function within({ machine, metric, fromMs, toMs }: RangeQuery): readonly Row[] {
    return rowsOf(machine, metric).filter(({ t }) => t >= fromMs && t < toMs);
  }

  function writeBatch(batch: SampleBatch): void {
    const touched = new Map<number, Row[]>();
    for (let i = 0; i < batch.length; i++) {
      const id = batch.seriesId[i] ?? 0;
      let rows = touched.get(id);
      if (rows === undefined) {
        const { machine, metric } = batch.series.at(id);
        rows = rowsToWrite(machine, metric);
        touched.set(id, rows);
      }
      rows.push({ t: batch.timeMs[i] ?? 0, tick: batch.tick[i] ?? 0, v: batch.value(i), q: batch.quality[i] ?? 0 });
    }
    for (const rows of touched.values()) rows.sort((a, b) => a.t - b.t || a.tick - b.tick);
  }

  return {
    name: 'memory',
    durability: { class: 'D3', delayMs: 0 },
    open: async () => place.checkpoint,
    async write(batch, checkpoint) {
      writeBatch(batch);
      place.checkpoint = checkpoint;
    },
    series: () => place.series,
    async latest() {
      return place.series.flatMap((series) => {
        const last = place.rows[series.id]?.at(-1);
        return last === undefined ? [] : { ...series, t: last.t, v: last.v, q: last.q };
      });
    },
    async range(query): Promise<Columns> {
      return columnsOf(within(query).slice(0, query.limit));
    },
    async lastBefore(machine, metric, atMs) {
      const row = rowsOf(machine, metric).findLast(({ t }) => t < atMs);
      return row === undefined ? undefined : { t: row.t, v: row.v };
    },
    async changes(series, fromMs, toMs, limit) {
      const found = series.map(({ machine, metric }) => {
        const rows = rowsOf(machine, metric);
        const held = rows.findLast(({ t }) => t < fromMs);
        return [...(held === undefined ? [] : [held]), ...rows.filter(({ t }) => t >= fromMs && t < toMs)];
      });
      if (found.flat().length > limit) throw new PermanentError('store.tooManySamples', `more than ${limit} samples`);
      return found.map(columnsOf);
    },
    async buckets(query) {
      return bucketsOf(within(query), query.everyMs, query.limit);
    },
    async close() {},
  };
}

function columnsOf(rows: readonly Row[]): Columns {
  return { t: rows.map(({ t }) => t), v: rows.map(({ v }) => v), q: rows.map(({ q }) => q) };
}

function bucketsOf(rows: readonly Row[], everyMs: number, limit: number): Buckets {
  const byStart = new Map<number, number[]>();
  for (const { t, v } of rows) {
    if (typeof v !== 'number' && typeof v !== 'boolean') continue;
    const start = Math.floor(t / everyMs) * everyMs;
    byStart.set(start, [...(byStart.get(start) ?? []), Number(v)]);
  }
  const filled = [...byStart].slice(0, limit);
  const each = (figure: (values: readonly number[]) => number) => filled.map(([, values]) => figure(values));
  return {
    t: filled.map(([start]) => start),
    min: each((values) => Math.min(...values)),
    max: each((values) => Math.max(...values)),
    avg: each((values) => values.reduce((a, b) => a + b, 0) / values.length),
    last: each((values) => values.at(-1) ?? 0),
    count: each((values) => values.length),
  };
}
