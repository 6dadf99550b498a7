import { createHash } from 'node:crypto';
import type { DuckDBAppender, DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { Span } from '@nhip/core/kpi/span';
import type { Sums } from '@nhip/core/kpi/sums';
import { appendTo } from '@nhip/stores/duckdb/append-to';
import { productNames, stateColumns, sumColumns, thousandths } from './schema.ts';

/** Figures of a machine from one cut of the calendar to the next. */
export interface Segment extends Span {
  readonly sums: Sums;
}

/** What is known of a stored segment without its figures. */
export interface StoredSegment extends Span {
  readonly revision: number;
  readonly fingerprint: string;
  readonly config: string;
}

/** The same figures have the same one: 16 hex digits. */
export function fingerprintOf({ parts, downtime, products }: Sums): string {
  const ordered = Object.entries(downtime).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([parts, ordered, products]))
    .digest('hex')
    .slice(0, 16);
}

export async function storedSegments(connection: DuckDBConnection, machine: number, span: Span): Promise<readonly StoredSegment[]> {
  const rows = await connection.runAndReadAll(
    `SELECT from_ms, to_ms, revision, fingerprint, config FROM segments
     WHERE machine = $machine AND from_ms < $to::BIGINT AND to_ms > $from::BIGINT ORDER BY from_ms`,
    { machine, from: span.from, to: span.to },
  );
  return rows.getRows().map(([from, to, revision, fingerprint, config]) => ({
    ...{ from: Number(from), to: Number(to), revision: Number(revision), fingerprint: String(fingerprint), config: String(config) },
  }));
}

/** Moves the figures of these segments into the history of restatements. */
export async function retire(
  connection: DuckDBConnection,
  machine: number,
  segments: readonly Span[],
  { nowMs, cause }: { readonly nowMs: number; readonly cause: string },
): Promise<void> {
  for (const { from } of segments) {
    const key = { machine, from };
    await connection.run(
      `INSERT INTO segment_history SELECT *, ${Math.floor(nowMs)}, $cause FROM segments WHERE machine = $machine AND from_ms = $from::BIGINT`,
      { ...key, cause },
    );
    for (const table of ['segments', 'segment_downtime', 'segment_products']) {
      await connection.run(`DELETE FROM ${table} WHERE machine = $machine AND from_ms = $from::BIGINT`, key);
    }
  }
}

export interface NewSegment extends Segment {
  readonly revision: number;
  readonly fingerprint: string;
}

export async function appendSegments(
  connection: DuckDBConnection,
  machine: number,
  segments: readonly NewSegment[],
  { nowMs, config }: { readonly nowMs: number; readonly config: string },
): Promise<void> {
  await appendTo(connection, 'segments', (appender) => {
    for (const { from, to, revision, fingerprint, sums } of segments) {
      appendKey(appender, machine, from, to);
      appender.appendInteger(revision);
      appender.appendBigInt(BigInt(Math.floor(nowMs)));
      appender.appendVarchar(fingerprint);
      appender.appendVarchar(config);
      for (const { state } of stateColumns) appender.appendBigInt(BigInt(sums.parts.statesMs[state]));
      for (const { name, unit } of sumColumns) appender.appendBigInt(BigInt(Math.round(sums.parts[name] * unit)));
      if (sums.parts.energyWh === null) appender.appendNull();
      else appender.appendBigInt(BigInt(sums.parts.energyWh));
      appender.endRow();
    }
  });
  await appendTo(connection, 'segment_downtime', (appender) => {
    for (const { from, to, sums } of segments) {
      for (const [code, { ms, events }] of Object.entries(sums.downtime)) {
        appendKey(appender, machine, from, to);
        appender.appendVarchar(code);
        appender.appendBigInt(BigInt(ms));
        appender.appendBigInt(BigInt(events));
        appender.endRow();
      }
    }
  });
  await appendTo(connection, 'segment_products', (appender) => {
    for (const { from, to, sums } of segments) {
      for (const row of sums.products) {
        appendKey(appender, machine, from, to);
        if (row.product === null) appender.appendNull();
        else appender.appendVarchar(row.product);
        for (const name of productNames) appender.appendBigInt(BigInt(Math.round(row[name] * thousandths)));
        appender.endRow();
      }
    }
  });
}

function appendKey(appender: DuckDBAppender, machine: number, from: number, to: number): void {
  appender.appendInteger(machine);
  appender.appendBigInt(BigInt(from));
  appender.appendBigInt(BigInt(to));
}

export function numberOf(value: DuckDBValue | undefined): number {
  return Number(value ?? 0);
}
