import { dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** Opens a store's file with stock DuckDB and no code of the product. The server must not be running: it alone may have it open. */
export async function readDuckdbFile<T>(file: string, read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    return await read(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/**
 * The numbers and Booleans of the store as a relation (machine, metric, v, t, q, n), those of closed days too, which stand in files
 * beside it. `n` is null where a file keeps no order within a millisecond.
 */
export async function storedSamples(connection: DuckDBConnection, file: string): Promise<string> {
  const hot = 'SELECT s.machine, s.metric, x.v, x.t::TIMESTAMP AS t, x.q, x.n FROM samples x JOIN series s ON s.id = x.series';
  const hasFiles = await connection.runAndReadAll("SELECT 1 FROM information_schema.tables WHERE table_name = 'cold_files'");
  if (hasFiles.getRows().length === 0) return `(${hot})`;
  const files = await connection.runAndReadAll("SELECT name FROM cold_files WHERE kind = 'samples' AND state = 'live'");
  const folder = join(dirname(file), 'history.cold');
  const paths = files.getRows().map(([name]) => `'${join(folder, String(name)).replaceAll("'", "''")}'`);
  if (paths.length === 0) return `(${hot})`;
  const cold = `SELECT machine, metric, coalesce(number, boolean::DOUBLE), time, quality, tick FROM read_parquet([${paths.join(', ')}])
    WHERE text IS NULL AND "integer" IS NULL`;
  return `(${hot} UNION ALL ${cold})`;
}
