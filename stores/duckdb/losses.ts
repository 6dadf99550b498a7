import { type DuckDBConnection, type DuckDBValue, timestampMillisValue } from '@duckdb/node-api';
import type { Loss, LossReason } from '@nhip/core/wire/loss';
import type { DeliveryRow, LossQuery, LossTotal, SeriesInfo } from '../history-store.ts';
import { appendTo } from './append-to.ts';
import { type BucketSource, planBuckets } from './bucket-plan.ts';
import { parquet } from './cold-catalog.ts';
import { within } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { ofSeries } from './relations.ts';

/** The table `losses`: what will never reach the store, and what was dead-lettered, beside the samples in one transaction. */

export async function appendLosses(connection: DuckDBConnection, losses: readonly Loss[]): Promise<void> {
  if (losses.length === 0) return;
  await appendTo(connection, 'losses', (appender) => {
    const time = (ms: number): void => appender.appendTimestampMilliseconds(timestampMillisValue(BigInt(Math.floor(ms))));
    for (const loss of losses) {
      time(loss.atMs);
      for (const text of [loss.edge, loss.machine, loss.metric, loss.reason, loss.detail]) appender.appendVarchar(text);
      appender.appendBigInt(BigInt(loss.samples));
      appender.appendVarchar(loss.stream);
      appender.appendBigInt(BigInt(loss.seqFrom));
      appender.appendBigInt(BigInt(loss.seqTo));
      time(loss.fromMs);
      time(loss.toMs);
      appender.endRow();
    }
  });
}

export async function queryLosses(connection: DuckDBConnection, { fromMs, toMs, limit, edge }: LossQuery): Promise<readonly Loss[]> {
  const result = await connection.runAndReadAll(
    `SELECT edge, machine, metric, reason, detail, samples, stream, seq_from, seq_to,
       epoch_ms(t_from)::DOUBLE, epoch_ms(t_to)::DOUBLE, epoch_ms(reported)::DOUBLE
     FROM losses WHERE ${within('reported')} ${edge === undefined ? '' : 'AND edge = $edge'} ORDER BY reported DESC, rowid DESC LIMIT $limit::BIGINT`,
    { from: fromMs, to: toMs, limit, ...(edge === undefined ? {} : { edge }) },
  );
  return result.getRows().map(([rowEdge, machine, metric, reason, detail, samples, stream, seqFrom, seqTo, from, to, at]) => ({
    edge: String(rowEdge),
    machine: String(machine),
    metric: String(metric),
    reason: reason as LossReason,
    detail: String(detail),
    samples: Number(samples),
    stream: String(stream),
    seqFrom: Number(seqFrom),
    seqTo: Number(seqTo),
    fromMs: Number(from),
    toMs: Number(to),
    atMs: Number(at),
  }));
}

const hourMs = 3_600_000;
const hourOf = (column: string): string => `(floor(epoch_ms(${column}) / ${hourMs}) * ${hourMs})::DOUBLE`;

const hotCounts = (table: string, ids: readonly number[]): string =>
  `SELECT series, ${hourOf('t')} AS h, count(*)::DOUBLE FROM ${table} WHERE ${ofSeries(ids)} AND ${within('t')} GROUP BY series, h`;

function coldCounts({ folder }: Cold, ids: readonly number[], { kind, names, fromMs, toMs }: BucketSource): string {
  const count = kind === 'samples' ? 'count(*)' : 'sum(count)';
  const span = `time >= make_timestamp_ms(${fromMs}) AND time < make_timestamp_ms(${toMs})`;
  return `SELECT series, ${hourOf('time')} AS h, ${count}::DOUBLE FROM ${parquet(folder, names)} WHERE ${ofSeries(ids)} AND ${span} GROUP BY series, h`;
}

/** Stored, lost and dead-lettered samples of one machine's `series` by metric and hour, sorted so. */
export async function queryDelivery(
  connection: DuckDBConnection,
  cold: Cold,
  machine: string,
  series: readonly SeriesInfo[],
  range: { readonly from: number; readonly to: number },
): Promise<readonly DeliveryRow[]> {
  const rows = new Map<string, { metric: string; hourMs: number; stored: number; lost: number; deadLettered: number }>();
  const add = (metric: string, hour: DuckDBValue, counts: { stored?: number; lost?: number; deadLettered?: number }): void => {
    const key = `${Number(hour)} ${metric}`;
    const row = rows.get(key) ?? { metric, hourMs: Number(hour), stored: 0, lost: 0, deadLettered: 0 };
    row.stored += counts.stored ?? 0;
    row.lost += counts.lost ?? 0;
    row.deadLettered += counts.deadLettered ?? 0;
    rows.set(key, row);
  };
  const metrics = new Map(series.map(({ id, metric }) => [id, metric]));
  const ids = [...metrics.keys()];
  // Sparse minutes do not count every series; the samples of their time are there.
  const complete = cold.files.filter(({ isSparse }) => !isSparse);
  const parts = [
    ...['samples', 'texts'].map((table) => hotCounts(table, ids)),
    ...planBuckets(complete, range.from, range.to, hourMs).map((source) => coldCounts(cold, ids, source)),
  ];
  const stored = await connection.runAndReadAll(parts.join(' UNION ALL '), { ...range });
  for (const [id, hour = null, count] of stored.getRows()) add(metrics.get(Number(id)) ?? '', hour, { stored: Number(count) });
  const losses = await connection.runAndReadAll(
    `SELECT metric, ${hourOf('t_from')} AS h, reason = 'deadLettered' AS dead, sum(samples)::DOUBLE
     FROM losses WHERE machine = $machine AND ${within('t_from')} GROUP BY metric, h, dead`,
    { ...range, machine },
  );
  for (const [metric, hour = null, isDead, samples] of losses.getRows()) {
    add(String(metric), hour, isDead === true ? { deadLettered: Number(samples) } : { lost: Number(samples) });
  }
  return [...rows.values()]
    .filter(({ stored: s, lost, deadLettered }) => s !== 0 || lost !== 0 || deadLettered !== 0)
    .sort((a, b) => compareText(a.metric, b.metric) || a.hourMs - b.hourMs);
}

export async function queryLossTotals(connection: DuckDBConnection): Promise<readonly LossTotal[]> {
  const result = await connection.runAndReadAll(
    'SELECT edge, reason, sum(samples)::DOUBLE, epoch_ms(max(reported))::DOUBLE FROM losses GROUP BY edge, reason ORDER BY edge, reason',
  );
  return result.getRows().map(([edge, reason, samples, at]) => ({
    edge: String(edge),
    reason: reason as LossReason,
    samples: Number(samples),
    lastAtMs: Number(at),
  }));
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
