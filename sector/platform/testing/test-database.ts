import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openEmbedded } from '../database/embedded.ts';
import type { Database } from '../database.ts';

/** A fresh embedded database in a folder of its own; empty, not migrated. */
export interface TestDatabase {
  readonly database: Database;
  readonly folder: string;
  /** Closes it and removes the folder. */
  remove(): Promise<void>;
}

/** Making a cluster takes seconds, copying one does not: the first test of this machine makes it, for this version of PGlite. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await makeTestCluster();
  const database = await openEmbedded(folder, endProcess);
  return {
    database,
    folder,
    async remove() {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for openEmbedded with an empty cluster. The caller removes it. */
export async function makeTestCluster(): Promise<string> {
  const template = join(tmpdir(), `nhip-test-cluster-${pgliteVersion()}-${process.getuid?.() ?? 0}`);
  if (!existsSync(template)) {
    const made = mkdtempSync(`${template}-`);
    await (await openEmbedded(made, endProcess)).close();
    try {
      renameSync(made, template);
    } catch {
      // Another test was first.
      rmSync(made, { recursive: true, force: true });
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'nhip-sector-'));
  mkdirSync(folder, { recursive: true });
  cpSync(template, folder, { recursive: true });
  return folder;
}

function endProcess(error: Error): never {
  console.error(error);
  process.exit(1);
}

function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const manifest = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8')) as { readonly version: string };
  return manifest.version;
}
