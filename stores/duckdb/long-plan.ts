import type { DuckDBConnection } from '@duckdb/node-api';
import { planBuckets } from './bucket-plan.ts';
import { type ColdFile, type ColdKind, parquet } from './cold-catalog.ts';
import { within } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { stepMs } from './compactor.ts';
import { answering } from './dense.ts';
import { ofSeries, type Span } from './relations.ts';

/**
 * What answers a question in which the order of the samples counts (what was last, what a counter gained, how long a state held), each
 * moment of a series by one source: roll-ups where there are any, samples for the edges of the span. A late sample that is still hot belongs between samples that
 * a roll-up has already added up: the hour in which it lies is answered by samples. Where retention took those, it is left out.
 */
export interface LongPlan {
  /** The hot samples that count, as a condition on their columns and on $from and $to. */
  readonly hot: string;
  readonly samples: readonly ColdSource[];
  readonly rollUps: readonly (ColdSource & { readonly stepMs: number })[];
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

/** `everyMs` 1 takes no roll-ups unless retention has left nothing else; `kinds` are what may answer at all. */
export async function planLong(
  connection: DuckDBConnection,
  cold: Cold,
  ids: readonly number[],
  span: Span,
  { everyMs, kinds = ['samples', 'minutes', 'hours'] }: { readonly everyMs: number; readonly kinds?: readonly ColdKind[] },
): Promise<LongPlan> {
  const files = cold.files.filter(({ kind }) => kinds.includes(kind));
  const plans: LongPlan[] = [];
  for (const group of await answering(connection, files, ids, span)) {
    plans.push(await planGroup(connection, { ...cold, files: group.files }, group.ids, span, everyMs));
  }
  return {
    hot: plans.map(({ hot }) => hot).join(' OR '),
    samples: plans.flatMap(({ samples }) => samples),
    rollUps: plans.flatMap(({ rollUps }) => rollUps),
  };
}

/** Of series that the same files may answer for. */
async function planGroup(connection: DuckDBConnection, cold: Cold, ids: readonly number[], span: Span, everyMs: number): Promise<LongPlan> {
  const sources = planBuckets(cold.files, span.from, span.to, everyMs);
  const rolledUp = sources.filter(({ kind }) => kind !== 'samples');
  const rollUpSpans = rolledUp.map(({ fromMs, toMs }) => between('t', fromMs, toMs)).join(' OR ');
  const files = cold.files.filter(({ kind }) => kind === 'samples');
  const late = rolledUp.length === 0 ? [] : await hotHours(connection, ids, span, rollUpSpans);
  const spoilt = late.filter((at) => files.some((file) => covers(file, at))).map((at) => at / hourMs);
  const isSpoilt = (column: string): string => `${hourOf(column)} IN (${spoilt.join(', ')})`;

  const counts = rolledUp.length === 0 ? 'true' : `(NOT (${rollUpSpans})${spoilt.length === 0 ? '' : ` OR ${isSpoilt('t')}`})`;
  const plan: LongPlan & { samples: ColdSource[]; rollUps: (ColdSource & { stepMs: number })[] } = {
    hot: `(${ofSeries(ids)} AND ${within('t')} AND ${counts})`,
    samples: [],
    rollUps: [],
  };
  for (const { kind, names, fromMs, toMs } of sources) {
    const where = `${ofSeries(ids)} AND ${between('time', fromMs, toMs)}`;
    const source = { files: parquet(cold.folder, names), where };
    if (kind === 'samples') {
      plan.samples.push(source);
      continue;
    }
    const again = files.filter((file) => file.fromMs < toMs && file.toMs > fromMs && spoilt.some((hour) => covers(file, hour * hourMs)));
    if (again.length === 0) plan.rollUps.push({ ...source, stepMs: stepMs[kind] });
    else {
      plan.rollUps.push({ ...source, where: `${where} AND NOT ${isSpoilt('time')}`, stepMs: stepMs[kind] });
      const samples = parquet(
        cold.folder,
        again.map(({ name }) => name),
      );
      plan.samples.push({ files: samples, where: `${where} AND ${isSpoilt('time')}` });
    }
  }
  return plan;
}

function covers({ fromMs, toMs }: ColdFile, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}

/** Begins of the hours within `spans` that hold hot samples of the series. */
async function hotHours(connection: DuckDBConnection, ids: readonly number[], span: Span, spans: string): Promise<readonly number[]> {
  const wanted = `${ofSeries(ids)} AND ${within('t')} AND (${spans})`;
  const hours = ['samples', 'texts'].map((table) => `SELECT ${hourOf('t')} AS h FROM ${table} WHERE ${wanted}`);
  const result = await connection.runAndReadAll(`SELECT DISTINCT h::DOUBLE FROM (${hours.join(' UNION ALL ')}) ORDER BY h`, { ...span });
  return result.getRows().map(([hour]) => Number(hour) * hourMs);
}
