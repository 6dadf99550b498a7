import { PermanentError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';
import type {
  Buckets,
  Checkpoint,
  Columns,
  DeliveryRow,
  HistoryStore,
  LossTotal,
  RangeQuery,
  SeriesInfo,
} from '@nhip/stores/history-store';

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
  readonly losses: Loss[];
  checkpoint: Checkpoint | undefined;
}

export function createMemoryPlace(): MemoryPlace {
  return { series: [], rows: [], losses: [], checkpoint: undefined };
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
      if (!isTime(batch.timeMs[i] ?? 0)) continue;
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
    async write({ batch, losses, checkpoint, keepRefused }) {
      const rows = Array.from({ length: batch.length }, (_, row) => row);
      const refused = rows.filter((row) => !isTime(batch.timeMs[row] ?? 0)).map((row) => ({ row, reason: 'no time' }));
      const refusedLosses = refused.length === 0 ? [] : await keepRefused(refused);
      writeBatch(batch);
      place.losses.push(...losses, ...refusedLosses);
      place.checkpoint = checkpoint;
    },
    async losses({ fromMs, toMs, limit, edge }) {
      const found = place.losses.filter((loss) => loss.atMs >= fromMs && loss.atMs < toMs && loss.edge === (edge ?? loss.edge));
      return found
        .reverse()
        .sort((a, b) => b.atMs - a.atMs)
        .slice(0, limit);
    },
    async delivery(machine, fromMs, toMs) {
      const stored = place.series
        .filter((series) => series.machine === machine)
        .flatMap(({ id, metric }) => (place.rows[id] ?? []).map(({ t }) => ({ metric, t, stored: 1, lost: 0, deadLettered: 0 })));
      const losses = place.losses
        .filter((loss) => loss.machine === machine)
        .map(({ metric, fromMs: t, reason, samples }) => {
          const isDead = reason === 'deadLettered';
          return { metric, t, stored: 0, lost: isDead ? 0 : samples, deadLettered: isDead ? samples : 0 };
        });
      return byHour([...stored, ...losses].filter(({ t }) => t >= fromMs && t < toMs));
    },
    async lossTotals() {
      const totals = new Map<string, LossTotal>();
      for (const { edge, reason, samples, atMs } of place.losses) {
        const known = totals.get(`${edge} ${reason}`);
        totals.set(`${edge} ${reason}`, {
          edge,
          reason,
          samples: samples + (known?.samples ?? 0),
          lastAtMs: Math.max(atMs, known?.lastAtMs ?? atMs),
        });
      }
      return [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, total]) => total);
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

function isTime(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

function byHour(counts: readonly (Omit<DeliveryRow, 'hourMs'> & { readonly t: number })[]): readonly DeliveryRow[] {
  const rows = new Map<string, DeliveryRow>();
  for (const { metric, t, stored, lost, deadLettered } of counts) {
    const hourMs = Math.floor(t / 3_600_000) * 3_600_000;
    const row = rows.get(`${hourMs} ${metric}`) ?? { metric, hourMs, stored: 0, lost: 0, deadLettered: 0 };
    rows.set(`${hourMs} ${metric}`, {
      ...row,
      stored: row.stored + stored,
      lost: row.lost + lost,
      deadLettered: row.deadLettered + deadLettered,
    });
  }
  return [...rows.values()]
    .filter(({ stored, lost, deadLettered }) => stored !== 0 || lost !== 0 || deadLettered !== 0)
    .sort((a, b) => (a.metric === b.metric ? a.hourMs - b.hourMs : a.metric < b.metric ? -1 : 1));
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
