import type { DuckDBConnection } from '@duckdb/node-api';
import { emptyParts, type KpiParts } from '@nhip/core/kpi/parts';
import { PermanentError } from '@nhip/core/process/errors';
import { type MachineState, machineStates } from '@nhip/core/wire/vocabulary';

/**
 * Tables of the plant state. Times are ms UTC in BIGINT, other figures too: quantities and ideal times in thousandths, so that sums are
 * exact. `segments` are the figures of a machine from one cut of the calendar to the next, with `segment_downtime` and
 * `segment_products` beside them; those of one machine have no gap and no overlap. What is restated goes to `segment_history`.
 * `hours` is what the history held of a machine when its figures were computed. `dirty` is what must be computed again.
 * No table has an index: there is one writer, who keeps keys unique, and rows come about in the order of their time.
 */
export const schemaVersion = 1;

export type SumName = Exclude<keyof KpiParts, 'statesMs' | 'energyWh'>;

const sums = Object.keys(emptyParts()).filter((name): name is SumName => name !== 'statesMs' && name !== 'energyWh');
const inThousandths: ReadonlySet<string> = new Set<SumName>([
  ...(['produced', 'good', 'scrap', 'rework', 'idealMs', 'idealGoodMs', 'producedWithoutIdeal'] as const),
]);

/** Columns of `segments` that are summed. */
export const stateColumns = machineStates.map((state) => ({ state, column: `"state_${state}"` }));
export const sumColumns = sums.map((name) => ({ name, column: `"${name}"`, unit: inThousandths.has(name) ? 1000 : 1 }));
export const productNames = ['produced', 'good', 'scrap', 'idealMs', 'idealGoodMs', 'producedWithoutIdeal'] as const;
/** Of quantities and ideal times. */
export const thousandths = 1000;

const figures = [...stateColumns.map(({ column }) => column), ...sumColumns.map(({ column }) => column)]
  .map((column) => `${column} BIGINT NOT NULL`)
  .join(', ');
const segment = `machine INTEGER NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, revision INTEGER NOT NULL,
  computed_ms BIGINT NOT NULL, fingerprint VARCHAR NOT NULL, config VARCHAR NOT NULL, ${figures}, energy BIGINT`;

/** What makes version n + 1 of version n; each runs once, in one transaction. */
const migrations: readonly (readonly string[])[] = [
  [
    'CREATE TABLE settings (name VARCHAR NOT NULL, value VARCHAR NOT NULL)',
    `CREATE TABLE corrections (seq BIGINT NOT NULL, machine VARCHAR NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, entry VARCHAR NOT NULL)`,
    'CREATE TABLE machines (id INTEGER NOT NULL, machine VARCHAR NOT NULL, first_ms BIGINT)',
    `CREATE TABLE segments (${segment})`,
    `CREATE TABLE segment_history (${segment}, replaced_ms BIGINT NOT NULL, cause VARCHAR NOT NULL)`,
    `CREATE TABLE segment_downtime (machine INTEGER NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, code VARCHAR NOT NULL, ms BIGINT NOT NULL, events BIGINT NOT NULL)`,
    `CREATE TABLE segment_products (machine INTEGER NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, product VARCHAR,
      ${productNames.map((name) => `"${name}" BIGINT NOT NULL`).join(', ')})`,
    'CREATE TABLE hours (machine INTEGER NOT NULL, hour_ms BIGINT NOT NULL, stored BIGINT NOT NULL)',
    'CREATE TABLE dirty (machine INTEGER NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, cause VARCHAR NOT NULL)',
  ],
];

/** Brings the file to this version. Throws PermanentError `plantState.newer` when a newer program wrote it. */
export async function prepareSchema(connection: DuckDBConnection, file: string): Promise<void> {
  await connection.run('CREATE TABLE IF NOT EXISTS meta (version INTEGER NOT NULL)');
  const rows = (await connection.runAndReadAll('SELECT version FROM meta')).getRows();
  const version = rows.length === 0 ? 0 : Number(rows[0]?.[0]);
  if (version > schemaVersion) {
    throw new PermanentError(
      'plantState.newer',
      `${file} has schema version ${version}, this program knows ${schemaVersion}: start the version that wrote it, or restore a backup`,
    );
  }
  for (let next = version; next < schemaVersion; next++) {
    await connection.run('BEGIN');
    for (const statement of migrations[next] ?? []) await connection.run(statement);
    await connection.run('DELETE FROM meta');
    await connection.run(`INSERT INTO meta VALUES (${next + 1})`);
    await connection.run('COMMIT');
  }
}

/** A draft of the eight states. */
export function emptyStates(): Record<MachineState, number> {
  return Object.fromEntries(machineStates.map((state) => [state, 0])) as Record<MachineState, number>;
}
