import type { DuckDBValue } from '@duckdb/node-api';
import type { DraftParts } from '@nhip/core/kpi/parts';
import { emptyParts } from '@nhip/core/kpi/parts';
import { type ProductParts, sumProducts } from '@nhip/core/kpi/production';
import type { Span } from '@nhip/core/kpi/span';
import type { DowntimeByReason } from '@nhip/core/kpi/stops';
import type { Sums } from '@nhip/core/kpi/sums';
import type { Query } from './database.ts';
import { productNames, stateColumns, sumColumns, thousandths } from './schema.ts';

export interface SumsQuery {
  readonly periods: readonly Span[];
  /** Machines and the group in which they are summed, a small whole number. */
  readonly groups: ReadonlyMap<string, number>;
}

/** Sums of stored segments that lie wholly inside a period. */
export interface LedgerSums {
  /** By period and group, as `groupKey`. */
  readonly groups: ReadonlyMap<string, GroupSums>;
  /** By period and machine, as `machineKey`: what of the period is stored. */
  readonly covered: ReadonlyMap<string, Covered>;
}

export interface GroupSums extends Sums {
  /** How many times segments of it were restated. */
  readonly restatements: number;
  /** Of the oldest. */
  readonly computedMs: number;
}

export interface Covered extends Span {
  /** Less than the length of the span when it has a hole. */
  readonly ms: number;
}

export function groupKey(period: number, group: number): string {
  return `${period} ${group}`;
}

export function machineKey(period: number, machine: string): string {
  return `${period} ${machine}`;
}

/** Runs in one read transaction, so that the answers belong together. */
export async function readSums(
  query: Query,
  { periods, groups }: SumsQuery,
  idOf: (machine: string) => number | undefined,
): Promise<LedgerSums> {
  const members = [...groups].flatMap(([machine, group]) => {
    const id = idOf(machine);
    return id === undefined ? [] : [{ id, machine, group }];
  });
  if (members.length === 0 || periods.length === 0) return { groups: new Map(), covered: new Map() };
  const ask = (table: string, keys: readonly string[], figures: readonly string[]) =>
    query(sumsSql(table, keys, figures, periods, members));

  const columns = [...stateColumns, ...sumColumns].map(({ column }) => sumOf(column));
  const rows = await ask(
    'segments',
    ['grp'],
    [sumOf('revision - 1'), 'min(computed_ms)', sumOf('to_ms - from_ms'), sumOf('energy'), ...columns],
  );
  const downtime = readDowntime(await ask('segment_downtime', ['grp', 'code'], [sumOf('ms'), sumOf('events')]));
  const products = readProducts(
    await ask(
      'segment_products',
      ['grp', 'product'],
      productNames.map((name) => sumOf(`"${name}"`)),
    ),
  );
  const found = new Map<string, GroupSums>();
  const lengths = new Map<string, number>();
  for (const [period, group, restatements, computedMs, ms, energy, ...figures] of rows) {
    const key = groupKey(Number(period), Number(group));
    lengths.set(key, Number(ms));
    found.set(key, {
      parts: partsOf(figures, energy ?? null),
      downtime: downtime.get(key) ?? {},
      products: sumProducts([products.get(key) ?? []]),
      restatements: Number(restatements),
      computedMs: Number(computedMs),
    });
  }
  return { groups: found, covered: await readCovered(ask, periods, groups, members, lengths) };
}

type Row = readonly DuckDBValue[];
interface StoredMember {
  readonly id: number;
  readonly machine: string;
  readonly group: number;
}

/** What of each period is stored of each machine; told without a question where all of it is. */
async function readCovered(
  ask: (table: string, keys: readonly string[], figures: readonly string[]) => Promise<readonly Row[]>,
  periods: readonly Span[],
  groups: ReadonlyMap<string, number>,
  members: readonly StoredMember[],
  lengths: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, Covered>> {
  const sizes = new Map<number, number>();
  for (const group of groups.values()) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const isWhole = ({ from, to }: Span, i: number): boolean =>
    [...sizes].every(([group, size]) => lengths.get(groupKey(i, group)) === size * (to - from));
  const covered = new Map<string, Covered>();
  if (periods.every(isWhole)) {
    for (const [i, { from, to }] of periods.entries()) {
      for (const { machine } of members) covered.set(machineKey(i, machine), { from, to, ms: to - from });
    }
    return covered;
  }
  const names = new Map(members.map(({ id, machine }) => [id, machine]));
  for (const [period, machine, from, to, ms] of await ask(
    'segments',
    ['machine'],
    ['min(from_ms)', 'max(to_ms)', sumOf('to_ms - from_ms')],
  )) {
    const key = machineKey(Number(period), names.get(Number(machine)) ?? '');
    covered.set(key, { from: Number(from), to: Number(to), ms: Number(ms) });
  }
  return covered;
}

/**
 * Figures by period and keys. Rows of one cut are summed before their period is looked for, which has then little to do. The lists
 * are numbers of ours. Figures are whole numbers far below 2⁵³, whose sum is exact in DOUBLE, and quicker than in the HUGEINT that
 * DuckDB takes by itself.
 */
function sumsSql(
  table: string,
  keys: readonly string[],
  figures: readonly string[],
  periods: readonly Span[],
  members: readonly StoredMember[],
): string {
  const list = (values: readonly number[]): string => `unnest([${values.map((value) => Math.floor(value)).join(', ')}]::BIGINT[])`;
  const times = `SELECT ${list(periods.map((_, i) => i))} AS period, ${list(periods.map(({ from }) => from))} AS a, ${list(periods.map(({ to }) => to))} AS b`;
  const who = `SELECT ${list(members.map(({ id }) => id))}::INTEGER AS machine, ${list(members.map(({ group }) => group))} AS grp`;
  const [from, to] = [Math.min(...periods.map((period) => period.from)), Math.max(...periods.map((period) => period.to))];
  const named = figures.map((figure, i) => `${figure} AS f${i}`).join(', ');
  // Of a minimum the minimum, of a sum the sum.
  const again = figures.map((figure, i) => `${figure.slice(0, 3)}(f${i})::DOUBLE`).join(', ');
  // Of periods without overlap each cut has at most one: the last that begins before it.
  const isDisjoint = periods.every((period, i) => i === 0 || (periods[i - 1] as Span).to <= period.from);
  const join = isDisjoint ? 'ASOF JOIN periods ON from_ms >= a' : 'JOIN periods ON from_ms >= a AND to_ms <= b';
  return `WITH periods AS (${times}), who AS (${who}), cuts AS (
      SELECT from_ms, to_ms, ${keys.join(', ')}, ${named} FROM ${table} JOIN who USING (machine)
      WHERE from_ms >= ${Math.floor(from)} AND to_ms <= ${Math.floor(to)} GROUP BY from_ms, to_ms, ${keys.join(', ')})
    SELECT period, ${keys.join(', ')}, ${again} FROM cuts ${join} WHERE to_ms <= b GROUP BY period, ${keys.join(', ')} ORDER BY ALL`;
}

/** SQL for the sum of a column of whole numbers. */
function sumOf(column: string): string {
  return `sum((${column})::DOUBLE)`;
}

function partsOf(figures: readonly DuckDBValue[], energy: DuckDBValue): DraftParts {
  const parts = emptyParts();
  stateColumns.forEach(({ state }, i) => {
    parts.statesMs[state] = Number(figures[i]);
  });
  sumColumns.forEach(({ name, unit }, i) => {
    parts[name] = Number(figures[stateColumns.length + i]) / unit;
  });
  parts.energyWh = energy === null ? null : Number(energy);
  return parts;
}

function readDowntime(rows: readonly Row[]): ReadonlyMap<string, DowntimeByReason> {
  const found = new Map<string, Record<string, { ms: number; events: number }>>();
  for (const [period, group, code, ms, events] of rows) {
    const key = groupKey(Number(period), Number(group));
    const sums = found.get(key) ?? {};
    sums[String(code)] = { ms: Number(ms), events: Number(events) };
    found.set(key, sums);
  }
  return found;
}

function readProducts(rows: readonly Row[]): ReadonlyMap<string, readonly ProductParts[]> {
  const found = new Map<string, ProductParts[]>();
  for (const [period, group, product, ...figures] of rows) {
    const key = groupKey(Number(period), Number(group));
    const sums = Object.fromEntries(productNames.map((name, i) => [name, Number(figures[i]) / thousandths]));
    const list = found.get(key) ?? [];
    list.push({ product: product === null || product === undefined ? null : String(product), ...sums } as unknown as ProductParts);
    found.set(key, list);
  }
  return found;
}
