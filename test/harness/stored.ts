import { join } from 'node:path';
import { readDuckdbFile, storedSamples } from './duckdb-file.ts';
import type { DataFolder } from './plant.ts';

/** Everything that the store holds of one metric. The server must not be running. */
export function storedNumbers(data: DataFolder, metric: string): Promise<readonly { readonly machine: string; readonly value: number }[]> {
  const file = join(data.path, 'server/history.duckdb');
  return readDuckdbFile(file, async (connection) => {
    const sql = `SELECT machine, v FROM ${await storedSamples(connection, file)} WHERE metric = $metric`;
    const result = await connection.runAndReadAll(sql, { metric });
    return result.getRows().map(([machine, value]) => ({ machine: String(machine), value: Number(value) }));
  });
}
