import { DuckDBConnection } from '@duckdb/node-api';
import { vi } from 'vitest';

/** Does something once, right before DuckDB begins to write a file; ends with `vi.restoreAllMocks`. */
export function beforeCopy(first: () => Promise<void>): void {
  const { run } = DuckDBConnection.prototype;
  let isDone = false;
  vi.spyOn(DuckDBConnection.prototype, 'run').mockImplementation(async function (this: DuckDBConnection, sql, ...more) {
    if (sql.startsWith('COPY') && !isDone) {
      isDone = true;
      await first();
    }
    return run.call(this, sql, ...more);
  });
}
