import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DataFolder } from './plant.ts';

/**
 * Everything that the store holds of one metric, read from the file with stock DuckDB and no code of the product.
 * The server must not be running.
 */
export async function storedNumbers(
  data: DataFolder,
  metric: string,
): Promise<readonly { readonly machine: string; readonly value: number }[]> {
  const instance = await DuckDBInstance.create(join(data.path, 'server/history.duckdb'), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(
    'SELECT s.machine, x.v FROM samples x JOIN series s ON s.id = x.series WHERE s.metric = $metric',
    { metric },
  );
  const rows = result.getRows().map(([machine, value]) => ({ machine: String(machine), value: Number(value) }));
  connection.closeSync();
  instance.closeSync();
  return rows;
}
