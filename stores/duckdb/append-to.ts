import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';

/**
 * Rows of one table by an appender: `fill` puts them in, then they are flushed. What of them is left when that fails is thrown away:
 * else the garbage collector flushes it later, outside of the transaction that was rolled back.
 */
export async function appendTo(connection: DuckDBConnection, table: string, fill: (appender: DuckDBAppender) => void): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    fill(appender);
    appender.closeSync();
  } catch (error) {
    appender.clear();
    throw error;
  }
}
