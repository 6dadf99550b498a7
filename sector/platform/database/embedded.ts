import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { FatalError } from '@nhip/core/process/errors';
import { lockFolder } from '@nhip/core/process/node-folder-lock';
import type { Database, Queries, Row, SqlValue } from '../database.ts';
import { DurableNodeFs, syncTree } from './durable-node-fs.ts';

/** Type numbers of PostgreSQL. */
const oids = { bytea: 17, int8: 20 } as const;

/** PGlite's own parameters, with fsync: it starts with `-F` (off), and its fdatasync does nothing, its fsync does (see DurableNodeFs). */
const durable = ['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'];
/** The usual 128 MB would be taken from this process at the start; the operating system caches the files as well. */
const small = ['-c', 'shared_buffers=16MB'];
const startParams = [...PGlite.defaultStartParams.filter((each) => each !== '-F'), ...durable, ...small];

/**
 * Called when an fsync failed, in the middle of a commit: it must log and end the process, and must not return. PostgreSQL answers a failed
 * fsync with a PANIC, that is by ending its process; here that is ours, and PGlite would go round for ever instead. The next start
 * recovers what was committed.
 */
export type EndProcess = (error: Error) => never;

/**
 * PostgreSQL inside this process (PGlite, WASM), its data in `folder` (made when missing, for the owner only), durable like a server's.
 * One process at a time: throws PermanentError `process.folderInUse`. One connection: transactions run one after the other.
 */
export async function openEmbedded(folder: string, endProcess: EndProcess): Promise<Database> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);
  const cluster = join(folder, 'cluster');
  const lite = await openOrMake(cluster, endProcess).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  let closing: Promise<void> | undefined;
  return {
    kind: 'embedded',
    ...queriesOf(lite),
    transaction: (work) => lite.transaction((inner) => work(queriesOf(inner))),
    close() {
      closing ??= lite.close().finally(() => lock.release());
      return closing;
    },
  };
}

async function openOrMake(cluster: string, endProcess: EndProcess): Promise<PGlite> {
  if (!existsSync(cluster)) await makeCluster(cluster, endProcess);
  return open(cluster, endProcess);
}

/** A start that was interrupted leaves no half cluster: it is made beside its place. */
async function makeCluster(cluster: string, endProcess: EndProcess): Promise<void> {
  const made = `${cluster}.new`;
  rmSync(made, { recursive: true, force: true });
  await (await open(made, endProcess)).close();
  syncTree(made);
  renameSync(made, cluster);
  syncTree(dirname(cluster), 'folderOnly');
}

function open(cluster: string, endProcess: EndProcess): Promise<PGlite> {
  return PGlite.create({
    fs: new DurableNodeFs(cluster, (error) =>
      endProcess(new FatalError('sector.syncFailed', 'The disk of the embedded database fails (fsync): the process must end', error)),
    ),
    startParams,
    relaxedDurability: false,
    parsers: { [oids.int8]: Number, [oids.bytea]: (text: string) => Buffer.from(text.slice(2), 'hex') },
  });
}

function queriesOf(lite: Pick<PGlite, 'query' | 'exec'>): Queries {
  return {
    async query<T extends Row>(sql: string, params: readonly SqlValue[] = []) {
      return (await lite.query<T>(sql, [...params])).rows;
    },
    async script(sql) {
      await lite.exec(sql);
    },
  };
}
