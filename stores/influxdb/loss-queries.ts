import { type Loss, lossReasons } from '@nhip/core/wire/loss';
import type { DeliveryRow, LossQuery, LossTotal } from '../history-store.ts';
import type { Cell, InfluxServer } from './influx-server.ts';
import { keptPolicy } from './influx-server.ts';
import { decodeName } from './line-protocol.ts';
import { between, equals } from './queries.ts';

const hourMs = 3_600_000;

/** See HistoryStore.losses. */
export async function queryLosses(server: InfluxServer, { fromMs, toMs, limit, edge }: LossQuery): Promise<readonly Loss[]> {
  const ofEdge = edge === undefined ? '' : ` AND ${equals('edge', edge)}`;
  const [series = []] = await server.query([
    `SELECT edge, machine, reason, metric, detail, stream, samples, seqFrom, seqTo, fromMs, toMs, atMs FROM ${keptPolicy}.losses WHERE ${between(fromMs, toMs)}${ofEdge} ORDER BY time DESC LIMIT ${limit}`,
  ]);
  return (series[0]?.values ?? []).map(([, ownEdge, machine, reason, metric, detail, stream, samples, seqFrom, seqTo, from, to, at]) => ({
    edge: decodeName(text(ownEdge)),
    machine: decodeName(text(machine)),
    metric: text(metric),
    reason: toReason(reason),
    detail: text(detail),
    samples: Number(samples),
    stream: text(stream),
    seqFrom: Number(seqFrom),
    seqTo: Number(seqTo),
    fromMs: Number(from),
    toMs: Number(to),
    atMs: Number(at),
  }));
}

/** See HistoryStore.delivery. */
export async function queryDelivery(server: InfluxServer, machine: string, fromMs: number, toMs: number): Promise<readonly DeliveryRow[]> {
  const rows = new Map<string, { metric: string; hourMs: number; stored: number; lost: number; deadLettered: number }>();
  const add = (metric: string, atMs: number, of: 'stored' | 'lost' | 'deadLettered', samples: number): void => {
    const hour = Math.floor(atMs / hourMs) * hourMs;
    const key = `${hour} ${metric}`;
    const row = rows.get(key) ?? { metric, hourMs: hour, stored: 0, lost: 0, deadLettered: 0 };
    row[of] += samples;
    rows.set(key, row);
  };
  // Each sample has exactly one of these fields.
  const counts = ['v', 's', 'i', 'n'].map((field) => `count(${field})`).join(', ');
  const ofMachine = equals('machine', machine);
  const [stored = [], losses = []] = await server.query([
    `SELECT ${counts} FROM samples WHERE ${ofMachine} AND ${between(fromMs, toMs)} GROUP BY time(1h), metric fill(none)`,
    `SELECT reason, metric, fromMs, samples FROM ${keptPolicy}.losses WHERE ${ofMachine} AND fromMs >= ${Math.ceil(fromMs)} AND fromMs < ${Math.ceil(toMs)}`,
  ]);
  for (const { tags, values } of stored) {
    for (const [hour, ...perField] of values) {
      add(
        decodeName(tags.metric ?? ''),
        Number(hour),
        'stored',
        perField.reduce<number>((sum, count) => sum + Number(count ?? 0), 0),
      );
    }
  }
  for (const [, reason, metric, at, samples] of losses[0]?.values ?? []) {
    add(text(metric), Number(at), reason === 'deadLettered' ? 'deadLettered' : 'lost', Number(samples));
  }
  return [...rows.values()]
    .filter((row) => row.stored !== 0 || row.lost !== 0 || row.deadLettered !== 0)
    .sort((a, b) => compareText(a.metric, b.metric) || a.hourMs - b.hourMs);
}

/** See HistoryStore.lossTotals. */
export async function queryLossTotals(server: InfluxServer): Promise<readonly LossTotal[]> {
  const [series = []] = await server.query([`SELECT sum(samples), max(atMs) FROM ${keptPolicy}.losses GROUP BY edge, reason`]);
  return series
    .map(({ tags, values }) => ({
      edge: decodeName(tags.edge ?? ''),
      reason: toReason(tags.reason),
      samples: Number(values[0]?.[1] ?? 0),
      lastAtMs: Number(values[0]?.[2] ?? 0),
    }))
    .sort((a, b) => compareText(a.edge, b.edge) || compareText(a.reason, b.reason));
}

/** A reason of a newer program counts as lost for a reason unknown here. */
function toReason(found: unknown): Loss['reason'] {
  return lossReasons.find((reason) => reason === found) ?? 'outboxGone';
}

function text(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : '';
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
