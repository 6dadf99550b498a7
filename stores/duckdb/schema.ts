import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import { coldTables } from './cold-catalog.ts';

/**
 * Tables of the store. Numbers and Booleans, nearly everything, live in `samples`; text, 64-bit integers above 2^53 (as
 * decimal text) and nulls in `texts`. `k` is a valueKind. (t, n) orders the samples of a series, also within one ms.
 * Both are hot: closed days move to files (cold-catalog.ts).
 * Version 1 had no files: a program that knows it alone would answer, and back up, without them. In version 2 the files of minutes had
 * every series: a program that knows it alone would find no samples of the others. The tables are the same, or get what they lack.
 * `losses` has the columns of core/wire/loss, times as `reported`, `t_from`, `t_to`; a file that was made before it existed just gets it.
 */
export const schemaVersion = 3;

const ddl = [
  'CREATE TABLE IF NOT EXISTS meta (version INTEGER NOT NULL)',
  'CREATE TABLE IF NOT EXISTS series (id INTEGER NOT NULL, machine VARCHAR NOT NULL, metric VARCHAR NOT NULL)',
  'CREATE TABLE IF NOT EXISTS samples (series INTEGER NOT NULL, t TIMESTAMP_MS NOT NULL, n INTEGER NOT NULL, v DOUBLE NOT NULL, k UTINYINT NOT NULL, q USMALLINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS texts (series INTEGER NOT NULL, t TIMESTAMP_MS NOT NULL, n INTEGER NOT NULL, v VARCHAR, k UTINYINT NOT NULL, q USMALLINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS checkpoint (next_index BIGINT NOT NULL, repeats BLOB NOT NULL)',
  'CREATE TABLE IF NOT EXISTS decoder (state BLOB NOT NULL)',
  `CREATE TABLE IF NOT EXISTS losses (reported TIMESTAMP_MS NOT NULL, edge VARCHAR NOT NULL, machine VARCHAR NOT NULL, metric VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, detail VARCHAR NOT NULL, samples BIGINT NOT NULL, stream VARCHAR NOT NULL, seq_from BIGINT NOT NULL,
    seq_to BIGINT NOT NULL, t_from TIMESTAMP_MS NOT NULL, t_to TIMESTAMP_MS NOT NULL)`,
  ...coldTables,
];

/** Creates what is missing. Throws PermanentError when a newer program wrote the file. */
export async function prepareSchema(connection: DuckDBConnection, file: string): Promise<void> {
  for (const statement of ddl) await connection.run(statement);
  const rows = await connection.runAndReadAll('SELECT version FROM meta');
  const version = rows.getRows()[0]?.[0];
  if (version === undefined) await connection.run(`INSERT INTO meta VALUES (${schemaVersion})`);
  else if (version === 1 || version === 2) await connection.run(`UPDATE meta SET version = ${schemaVersion}`);
  else if (version !== schemaVersion) {
    throw new PermanentError(
      'store.newerSchema',
      `${file} has schema version ${String(version)}, this program knows ${schemaVersion}: start the version that wrote it, or restore a backup`,
    );
  }
}
