import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColdFile, coldFilesMissing, coldFolderOf, missingColdFiles, readColdFiles, sweepColdFiles } from './cold-catalog.ts';

/** What is cold at one moment. */
export interface Cold {
  readonly folder: string;
  readonly files: readonly ColdFile[];
}

/** The live files, and queries that see them and the hot tables as of one moment. */
export interface ColdStore {
  readonly folder: string;
  /** Removes what a crash left and reads which files are live. */
  open(connection: DuckDBConnection): Promise<void>;
  current(): Cold;
  /** Commits a change of the live files through `connection`; files that are live no more are for a sweep to remove. One at a time. */
  switchTo(connection: DuckDBConnection, commit: () => Promise<unknown>): Promise<void>;
  /**
   * Runs `query`, again if the live files changed meanwhile: its statement may have seen the hot tables of after and the files of
   * before, or not found a file that is gone. Rejects with PermanentError `store.filesMissing` when live files are not there.
   */
  consistent<Result>(query: (cold: Cold) => Promise<Result>): Promise<Result>;
}

export function createColdStore(databaseFile: string): ColdStore {
  const folder = coldFolderOf(databaseFile);
  let files: readonly ColdFile[] = [];
  let generation = 0;
  let switching: Promise<void> = Promise.resolve();

  async function reload(connection: DuckDBConnection): Promise<void> {
    files = await readColdFiles(connection);
    generation++;
  }

  return {
    folder,
    async open(connection) {
      // What cannot be removed harms nothing; upkeep says so.
      await sweepColdFiles(connection, folder).catch(() => undefined);
      await reload(connection);
    },
    current: () => ({ folder, files }),
    async switchTo(connection, commit) {
      // From here on no query that has begun may answer with what it saw.
      generation++;
      const done = commit().then(() => reload(connection));
      switching = done.catch(() => undefined);
      await done;
    },
    async consistent(query) {
      for (;;) {
        await switching;
        const begun = generation;
        try {
          const result = await query({ folder, files });
          if (begun === generation) return result;
        } catch (error) {
          if (begun !== generation) continue;
          const missing = missingColdFiles(folder, files);
          throw missing.length > 0 ? coldFilesMissing(folder, missing) : error;
        }
      }
    },
  };
}

/** DuckDB takes a folder into the list of those it may use only when it is there. */
export async function makeColdFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** What exports write before they are handed out; nothing in it survives a restart. */
export function exportFolderOf(folder: string): string {
  return join(folder, 'export');
}

export async function clearExports(folder: string): Promise<void> {
  await rm(exportFolderOf(folder), { recursive: true, force: true });
}
