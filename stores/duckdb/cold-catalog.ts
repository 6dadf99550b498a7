import { existsSync } from 'node:fs';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import { lateTable } from './late.ts';

/**
 * The files of closed days and the table `cold_files` that says which of them count.
 *
 * A file is written once and never changed. Its row goes through three states:
 *   `writing`   committed before the first byte is written: what a crash leaves is known by name;
 *   `live`      in the transaction that takes its samples out of the hot tables, after the file is durable under its name;
 *   `obsolete`  in the transaction that makes its successor live, or by retention.
 * Files in the first and last state are removed at the next start. A file without a row is never touched: it may belong to a newer
 * state of the same database, beside which an older backup was put.
 */
export const coldKinds = ['samples', 'minutes', 'hours'] as const;
export type ColdKind = (typeof coldKinds)[number];

export interface ColdFile {
  readonly kind: ColdKind;
  /** Relative to the cold folder, e.g. `samples/2026-11-21.parquet`. */
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly version: number;
  readonly rows: number;
  readonly bytes: number;
  /** Minutes of the dense series alone (dense.ts). */
  readonly isSparse: boolean;
}

export const coldTables = [
  `CREATE TABLE IF NOT EXISTS cold_files (name VARCHAR NOT NULL, kind VARCHAR NOT NULL, t_from BIGINT NOT NULL, t_to BIGINT NOT NULL,
    version INTEGER NOT NULL, state VARCHAR NOT NULL, rows BIGINT NOT NULL, bytes BIGINT NOT NULL)`,
  // What was written before it existed is not sparse.
  'ALTER TABLE cold_files ADD COLUMN IF NOT EXISTS sparse BOOLEAN DEFAULT false',
  // The first and last sample of each series that was ever moved to a file; the last one stays known when retention takes the file.
  `CREATE TABLE IF NOT EXISTS cold_series (series INTEGER NOT NULL, t_first TIMESTAMP_MS NOT NULL, t TIMESTAMP_MS NOT NULL, n INTEGER NOT NULL,
    v DOUBLE, s VARCHAR, k UTINYINT NOT NULL, q USMALLINT NOT NULL)`,
  lateTable,
  // By begin of a slice whose file of minutes is sparse: the series in it.
  'CREATE TABLE IF NOT EXISTS cold_dense (t_from BIGINT NOT NULL, series INTEGER NOT NULL)',
];

/** Beside the database and named after it, e.g. `history.cold`: two databases in one folder must not share files. */
export function coldFolderOf(databaseFile: string): string {
  return `${databaseFile.replace(/\.duckdb$/, '')}.cold`;
}

export const partialSuffix = '.partial';

/** Live files, oldest first. */
export async function readColdFiles(connection: DuckDBConnection): Promise<readonly ColdFile[]> {
  const result = await connection.runAndReadAll(
    "SELECT kind, name, t_from, t_to, version, rows, bytes, sparse FROM cold_files WHERE state = 'live' ORDER BY t_from, kind",
  );
  return result.getRows().map(([kind, name, from, to, version, rows, bytes, sparse]) => ({
    kind: kind as ColdKind,
    name: String(name),
    fromMs: Number(from),
    toMs: Number(to),
    version: Number(version),
    rows: Number(rows),
    bytes: Number(bytes),
    isSparse: sparse === true,
  }));
}

/** Committed before the first byte of the file is written. */
export async function addWriting(connection: DuckDBConnection, file: Omit<ColdFile, 'rows' | 'bytes'>): Promise<void> {
  const { kind, name, fromMs, toMs, version, isSparse } = file;
  await connection.run(
    `INSERT INTO cold_files (name, kind, t_from, t_to, version, state, rows, bytes, sparse)
     VALUES (${literal(name)}, '${kind}', ${fromMs}, ${toMs}, ${version}, 'writing', 0, 0, ${isSparse})`,
  );
}

export async function makeLive(
  connection: DuckDBConnection,
  { name, rows, bytes }: Pick<ColdFile, 'name' | 'rows' | 'bytes'>,
): Promise<void> {
  await connection.run(`UPDATE cold_files SET state = 'live', rows = ${rows}, bytes = ${bytes} WHERE name = ${literal(name)}`);
}

/** The first version from `atLeast` on whose files are not there: one that is, and is not ours to replace, is of a newer state of the same database. */
export function freeVersion(folder: string, atLeast: number, namesOf: (version: number) => readonly string[]): number {
  let version = atLeast;
  while (namesOf(version).some((name) => existsSync(join(folder, name)))) version++;
  return version;
}

/** Live files that are not there. */
export function missingColdFiles(folder: string, files: readonly ColdFile[]): readonly ColdFile[] {
  return files.filter(({ name }) => !existsSync(join(folder, name)));
}

export function coldFilesMissing(folder: string, missing: readonly ColdFile[]): PermanentError {
  return new PermanentError(
    'store.filesMissing',
    `${missing.length} files of closed days are missing in ${folder}, the first is ${missing[0]?.name}: put back the folder that belongs to this database; until then their days cannot be asked for`,
  );
}

/** Removes files that are not live, then their rows; repeated after a crash it does the same. Rejects when some cannot be removed: they are tried again next time. */
export async function sweepColdFiles(connection: DuckDBConnection, folder: string): Promise<void> {
  const names = (await connection.runAndReadAll("SELECT name FROM cold_files WHERE state <> 'live'"))
    .getRows()
    .map(([name]) => String(name));
  const stuck: unknown[] = [];
  for (const name of names) {
    try {
      await rm(join(folder, name), { force: true });
      await rm(join(folder, name + partialSuffix), { force: true });
      await connection.run(`DELETE FROM cold_files WHERE state <> 'live' AND name = ${literal(name)}`);
    } catch (error) {
      stuck.push(error);
    }
  }
  if (stuck.length > 0) throw stuck[0];
}

/** Brings a finished partial file under its name, durable when it resolves with its size. */
export async function publishFile(folder: string, name: string): Promise<number> {
  const partial = join(folder, name + partialSuffix);
  await chmod(partial, 0o600);
  await syncPath(partial);
  const { size } = await stat(partial);
  await rename(partial, join(folder, name));
  await syncPath(dirname(join(folder, name)));
  return size;
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** `2026-11-21.parquet`; a part of a large day `2026-11-21T06.parquet`; a later version `2026-11-21.v2.parquet`. */
export function coldFileName(kind: ColdKind, fromMs: number, isWholeDay: boolean, version: number): string {
  const time = new Date(fromMs).toISOString().slice(0, isWholeDay ? 10 : 13);
  return `${kind}/${time}${version === 1 ? '' : `.v${version}`}.parquet`;
}

/** A text as an SQL literal: for file names, which table functions do not take as parameters. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The files as a relation with their columns. */
export function parquet(folder: string, names: readonly string[]): string {
  return `read_parquet([${names.map((name) => literal(join(folder, name))).join(', ')}])`;
}
