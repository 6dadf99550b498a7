import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import { literal } from './cold-catalog.ts';
import { makeColdFolder } from './cold-store.ts';
import type { DuckdbSettings } from './config.ts';

export interface Open {
  readonly path: string;
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  /** Queries run beside the writer; DuckDB gives each its own snapshot. */
  readonly reader: DuckDBConnection;
  /** Moves closed days to files. */
  readonly keeper: DuckDBConnection;
}

/** Databases that this process has open, or is opening. */
const openPaths = new Set<string>();

/** Opens or creates the database. Throws PermanentError `store.cannotOpen`; nothing is open then. */
export async function connect(config: DuckdbSettings, coldFolder: string): Promise<Open> {
  // DuckDB's lock on the file is one of the process: within it, a second instance would write over what the first one wrote.
  const path = await realPath(config.file);
  if (openPaths.has(path)) {
    throw new PermanentError(
      'store.cannotOpen',
      `The store ${config.file} is open in this program already: each store needs a file of its own`,
    );
  }
  openPaths.add(path);
  let instance: DuckDBInstance | undefined;
  try {
    instance = await createInstance(config);
    const writer = await instance.connect();
    // Nothing that reaches SQL may read or write other files than those of closed days.
    await makeColdFolder(coldFolder);
    await writer.run(`SET allowed_directories = [${literal(coldFolder)}]`);
    await writer.run('SET parquet_metadata_cache = true');
    await writer.run('SET enable_external_access = false');
    await writer.run('SET lock_configuration = true');
    return { path, instance, writer, reader: await instance.connect(), keeper: await instance.connect() };
  } catch (error) {
    instance?.closeSync();
    openPaths.delete(path);
    throw error;
  }
}

export function disconnect({ path, instance, writer, reader, keeper }: Open): void {
  for (const each of [keeper, reader, writer]) each.closeSync();
  instance.closeSync();
  openPaths.delete(path);
}

async function createInstance(config: DuckdbSettings): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(config.file, {
      memory_limit: `${config.memoryLimitMb}MB`,
      threads: String(config.threads),
      // Fewer, larger checkpoints: each one pauses writing.
      checkpoint_threshold: '64MB',
      // Its tables are sized by statistics that a commit may have outrun by the time they are filled: then the query fails.
      perfect_ht_threshold: '0',
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const hint = text.includes('lock') ? 'another process has it open; stop that one first' : text.split('\n')[0];
    throw new PermanentError('store.cannotOpen', `Cannot open the store ${config.file}: ${hint}`, error);
  }
}

/** Without links; of a file that is not there yet, as it will be. */
async function realPath(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    return join(await realpath(dirname(file)).catch(() => dirname(file)), basename(file));
  }
}
