import { resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { PermanentError, reasonOf } from '@nhip/core/process/errors';
import { prepareSchema } from './schema.ts';

/** The embedded database of the plant state: one writer, one reader that sees what was committed. */
export interface Database {
  /** One transaction; others wait for it. Durable when it resolves. `committed` is called then, before the next one begins. */
  write<Result>(work: (connection: DuckDBConnection) => Promise<Result>, committed?: (result: Result) => void): Promise<Result>;
  /** Queries that see one state of the database; other reads wait for it, writes do not. */
  read<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** Copies the database into the new file `copy`, as of one moment; writes wait. */
  copyTo(copy: string): Promise<void>;
  /** After what is running. Idempotent. */
  close(): Promise<void>;
}

/** Rows of a statement. What comes from outside are bound parameters. */
export type Query = (sql: string, params?: Readonly<Record<string, string | number>>) => Promise<readonly (readonly DuckDBValue[])[]>;

/** Two instances on one file would write over each other, and DuckDB's lock does not see the second one of a process. */
const openFiles = new Set<string>();

/** Opens or creates the file. Throws PermanentError `plantState.cannotOpen` or `plantState.newer`. */
export async function openDatabase(file: string): Promise<Database> {
  const path = resolve(file);
  if (openFiles.has(path)) throw new PermanentError('plantState.cannotOpen', `${file} is open in this program already`);
  openFiles.add(path);
  let instance: DuckDBInstance | undefined;
  try {
    // Small: figures are sums of rows that were summed before.
    instance = await DuckDBInstance.create(path, { memory_limit: '256MB', threads: '2', perfect_ht_threshold: '0' });
    const writer = await instance.connect();
    const reader = await instance.connect();
    await prepareSchema(writer, file);
    return connected(path, instance, writer, reader);
  } catch (error) {
    instance?.closeSync();
    openFiles.delete(path);
    if (error instanceof PermanentError) throw error;
    const hint = reasonOf(error).includes('lock') ? 'another process has it open; stop that one first' : reasonOf(error).split('\n')[0];
    throw new PermanentError('plantState.cannotOpen', `Cannot open the plant state ${file}: ${hint}`, error);
  }
}

function connected(path: string, instance: DuckDBInstance, writer: DuckDBConnection, reader: DuckDBConnection): Database {
  const writes = createQueue();
  const reads = createQueue();
  let isOpen = true;

  return {
    write: (work, committed) =>
      writes(async () => {
        const result = await inTransaction(writer, () => work(writer));
        committed?.(result);
        return result;
      }),
    read: (work) =>
      reads(() =>
        inTransaction(reader, () => work(async (sql, params = {}) => (await reader.runAndReadAll(sql, { ...params })).getRows())),
      ),
    copyTo: (copy) =>
      writes(async () => {
        await writer.run(`ATTACH ${literal(copy)} AS copy`);
        try {
          const current = (await writer.runAndReadAll('SELECT current_database()')).getRows()[0]?.[0];
          await writer.run(`COPY FROM DATABASE ${identifier(String(current))} TO copy`);
        } finally {
          await writer.run('DETACH copy');
        }
      }),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await Promise.all([writes(async () => {}), reads(async () => {})]);
      reader.closeSync();
      writer.closeSync();
      instance.closeSync();
      openFiles.delete(path);
    },
  };
}

/** One after the other. */
function createQueue(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}

async function inTransaction<Result>(connection: DuckDBConnection, work: () => Promise<Result>): Promise<Result> {
  await connection.run('BEGIN');
  try {
    const result = await work();
    await connection.run('COMMIT');
    return result;
  } catch (error) {
    // A commit that failed for lack of space has already ended the transaction; then ROLLBACK itself fails.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
