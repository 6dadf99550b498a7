import { RetryableError } from '@nhip/core/process/errors';
import pg from 'pg';
import type { Database, Queries, Row, SqlValue } from '../database.ts';

/** Type numbers of PostgreSQL. */
const int8 = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
} as pg.CustomTypesConfig;

export interface PostgresOptions {
  /** `postgres://user:password@host/database`. */
  readonly url: string;
  readonly maxConnections: number;
}

/** A PostgreSQL server from version 15 on. Connects when it is first asked; a broken connection is replaced by the next one. */
export function openPostgres({ url, maxConnections }: PostgresOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    types,
    connectionTimeoutMillis: 10_000,
    // What takes longer than this holds up the others.
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    application_name: 'nhip-sector',
  });
  // A connection that breaks while idle is replaced; whoever asks next gets the error if the server stays away.
  pool.on('error', () => undefined);
  let closing: Promise<void> | undefined;

  return {
    kind: 'postgres',
    ...queriesOf(pool),
    async transaction(work) {
      const client = await pool.connect().catch(unreachable);
      let isBroken = false;
      client.on('error', onError);
      function onError(): void {
        isBroken = true;
      }
      try {
        await client.query('BEGIN');
        const result = await work(queriesOf(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(onError);
        throw error;
      } finally {
        client.off('error', onError);
        client.release(isBroken);
      }
    },
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

function unreachable(error: unknown): never {
  throw new RetryableError('sector.database', 'The database cannot be reached', { cause: error });
}

function queriesOf(client: Pick<pg.Pool, 'query'>): Queries {
  return {
    async query<T extends Row>(sql: string, params: readonly SqlValue[] = []) {
      return (await client.query<T & pg.QueryResultRow>(sql, params.map(bound))).rows;
    },
    async script(sql) {
      await client.query(sql);
    },
  };
}

/** pg writes only Buffers as bytea. */
function bound(value: SqlValue): unknown {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Array.isArray(value) ? value.map(bound) : value;
}
