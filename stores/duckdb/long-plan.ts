import type { DuckDBConnection } from '@duckdb/node-api';
import { planBuckets } from './bucket-plan.ts';
import { type ColdFile, parquet } from './cold-catalog.ts';
import { within } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { answering } from './dense.ts';
import { ofSeries, type Span } from './relations.ts';

/**
 * What answers buckets, each moment of a series by one source: roll-ups where there are any, samples for the edges of the span. The order
 * of the samples counts (what was last): a late sample that is still hot belongs between samples that a roll-up has already added up, so the
 * hour in which it lies is answered by samples. Where retention took those, it is left out.
 */
export interface LongPlan {
  /** The hot samples that count, as a condition on their columns and on $from and $to. */
  readonly hot: string;
  readonly samples: readonly ColdSource[];
  readonly rollUps: readonly ColdSource[];
}

/** Files as a relation, and a condition on their columns. */
export interface ColdSource {
  readonly files: string;
  readonly where: string;
}

const hourMs = 3_600_000;
const hourOf = (column: string): string => `epoch_ms(${column}) // ${hourMs}`;
const between = (column: string, fromMs: number, toMs: number): string =>
  `${column} >= make_timestamp_ms(${fromMs}) AND ${column} < make_timestamp_ms(${toMs})`;

/** Which roll-ups answer buckets of `everyMs`, `planBuckets` says. */
export async function planLong(connection: DuckDBConnection, cold: Cold, series: number, span: Span, everyMs: number): Promise<LongPlan> {
  const all = await answering(connection, cold.files, series, span);
  const ofOne = ofSeries([series]);
  const sources = planBuckets(all, span.from, span.to, everyMs);
  const rolledUp = sources.filter(({ kind }) => kind !== 'samples');
  const rollUpSpans = rolledUp.map(({ fromMs, toMs }) => between('t', fromMs, toMs)).join(' OR ');
  const files = all.filter(({ kind }) => kind === 'samples');
  const late = rolledUp.length === 0 ? [] : await hotHours(connection, `${ofOne} AND (${rollUpSpans})`, span);
  const spoilt = late.filter((at) => files.some((file) => covers(file, at))).map((at) => at / hourMs);
  const isSpoilt = (column: string): string => `${hourOf(column)} IN (${spoilt.join(', ')})`;

  const counts = rolledUp.length === 0 ? 'true' : `(NOT (${rollUpSpans})${spoilt.length === 0 ? '' : ` OR ${isSpoilt('t')}`})`;
  const samples: ColdSource[] = [];
  const rollUps: ColdSource[] = [];
  for (const { kind, names, fromMs, toMs } of sources) {
    const where = `${ofOne} AND ${between('time', fromMs, toMs)}`;
    const source = { files: parquet(cold.folder, names), where };
    if (kind === 'samples') {
      samples.push(source);
      continue;
    }
    const again = files.filter((file) => file.fromMs < toMs && file.toMs > fromMs && spoilt.some((hour) => covers(file, hour * hourMs)));
    if (again.length === 0) rollUps.push(source);
    else {
      rollUps.push({ ...source, where: `${where} AND NOT ${isSpoilt('time')}` });
      const instead = again.map(({ name }) => name);
      samples.push({ files: parquet(cold.folder, instead), where: `${where} AND ${isSpoilt('time')}` });
    }
  }
  return { hot: `${ofOne} AND ${within('t')} AND ${counts}`, samples, rollUps };
}

function covers({ fromMs, toMs }: ColdFile, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}

/** Begins of the hours that hold wanted hot samples. */
async function hotHours(connection: DuckDBConnection, wanted: string, span: Span): Promise<readonly number[]> {
  const hours = `SELECT DISTINCT ${hourOf('t')} AS h FROM samples WHERE ${wanted} AND ${within('t')}`;
  const result = await connection.runAndReadAll(`SELECT h::DOUBLE FROM (${hours}) ORDER BY h`, { ...span });
  return result.getRows().map(([hour]) => Number(hour) * hourMs);
}
