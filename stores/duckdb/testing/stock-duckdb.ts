import { DuckDBInstance } from '@duckdb/node-api';

type Rows = readonly (readonly unknown[])[];

/** What stock DuckDB says to a query, of a database file or of none, without our code: rows as JSON (a BIGINT is text). */
export function askDuckdb(sql: string, file?: string): Promise<Rows> {
  return file === undefined ? run(sql, ':memory:', {}) : run(sql, file, { access_mode: 'READ_ONLY' });
}

/** Changes a database file that nobody else has open. */
export async function changeDuckdb(file: string, sql: string): Promise<void> {
  await run(sql, file, {});
}

async function run(sql: string, file: string, options: Readonly<Record<string, string>>): Promise<Rows> {
  const instance = await DuckDBInstance.create(file, options);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
