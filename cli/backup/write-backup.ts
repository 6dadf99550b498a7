import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RetryableError } from '@nhip/core/process/errors';
import { openPlantState, plantStateFile } from '@nhip/live/plant-state/plant-state';
import { coldFolderOf } from '@nhip/stores/duckdb/cold-catalog';
import { schemaVersion } from '@nhip/stores/duckdb/schema';
import type { HistoryStore } from '@nhip/stores/history-store';
import { digestOf, syncPath } from './digest.ts';
import {
  type BackupFile,
  coldName,
  configName,
  deadLettersName,
  historyName,
  type Manifest,
  manifestName,
  serverFilesName,
} from './manifest.ts';
import { copySharing, type SharingPlaces } from './sharing-backup.ts';

/** Files of the server's data folder that a backup holds. */
export const serverFiles = ['users.json', 'tokens.json', 'mqtt-credentials.json'] as const;

export interface BackupSources {
  /** Open. */
  readonly store: Pick<HistoryStore, 'name' | 'copyTo'>;
  readonly storeFile: string;
  readonly serverDir: string;
  /** Copies corrections and figures into a new file; false: there are none. Absent: copied from the closed file in `serverDir`. */
  copyPlantState?(file: string): Promise<boolean>;
  /** The gateway to sector platforms. */
  readonly sharing: SharingPlaces;
  /** Configuration and plant model, wherever they are. */
  readonly configFiles: readonly string[];
  readonly logId: string;
  readonly nhipVersion: string;
}

export interface BackupRun {
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
  progress(doneBytes: number, totalBytes: number): void;
}

/** A disk that a backup fills would stop the log beside it. */
const reserveBytes = 268_435_456;
const watchMs = 250;

/**
 * Writes a backup into the new folder `target`, whose parent must exist; the store takes no writes while its file is copied.
 * The folder appears under its name when everything in it is durable and not before. Throws RetryableError `backup.noSpace`,
 * `backup.exists` or `store.copyFailed`.
 */
export async function writeBackup(target: string, sources: BackupSources, run: BackupRun): Promise<Manifest> {
  if (existsSync(target)) throw new RetryableError('backup.exists', `${target} is there already: choose another name`);
  const historyBytes = await sizeOf(sources.storeFile);
  const copyBytes =
    historyBytes +
    (await sizeOf(join(sources.serverDir, plantStateFile))) +
    (await sizeOf(`${sources.storeFile}.wal`)) +
    // Copied, then packed.
    2 * (await bytesBelow(sources.sharing.dir)) +
    (await filesToCopy(sources)).reduce((sum, { bytes }) => sum + bytes, 0);
  const coldBytes = await bytesBelow(coldFolderOf(sources.storeFile));
  // On the same disk these files get a second name and need no room.
  const isSameDisk = (await stat(dirname(target))).dev === (await stat(dirname(sources.storeFile))).dev;
  await requireSpace(dirname(target), copyBytes + (isSameDisk ? 0 : coldBytes));
  const partial = join(dirname(target), `.${basename(target)}.partial`);
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { mode: 0o700 });
    // Written and then read again for its digest.
    const totalBytes = 2 * copyBytes + coldBytes;
    const progress = (done: number): void => run.progress(Math.min(done, totalBytes), totalBytes);
    const nextIndex = await copyHistory(sources, join(partial, historyName), run, progress);
    // Looked for anew after the store, which may have waited for long: what it counts as dead letters is among them.
    const files = await filesToCopy(sources);
    for (const file of files) await copySecret(file.from, join(partial, file.path));
    const plantState = `${serverFilesName}/${plantStateFile}`;
    const hasPlantState = await copyPlantState(sources, join(partial, plantState));
    const written = [
      historyName,
      ...(hasPlantState ? [plantState] : []),
      ...(await filesBelow(partial, coldName)),
      ...(await copySharing(sources.sharing, partial)),
      ...files.map(({ path }) => path),
    ];
    const manifest: Manifest = {
      format: 1,
      createdMs: run.nowMs,
      versions: { nhip: sources.nhipVersion, node: process.versions.node, storeSchema: schemaVersion },
      checkpoint: { logId: sources.logId, nextIndex },
      files: await digests(partial, written, (done) => progress(copyBytes + done), run.signal),
    };
    await writeFile(join(partial, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    await syncAll(partial, [...manifest.files.map(({ path }) => path), manifestName]);
    await rename(partial, target);
    await syncPath(dirname(target));
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Throws RetryableError `backup.noSpace` when `folder` has no room for `bytes` and a reserve. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes + reserveBytes) return;
  const mb = (value: number): string => `${Math.ceil(value / 1_048_576)} MB`;
  throw new RetryableError(
    'backup.noSpace',
    `${folder} has ${mb(free)} free, this needs ${mb(bytes)} and ${mb(reserveBytes)} must stay free: make room or use another disk`,
  );
}

interface Copied {
  readonly from: string;
  readonly path: string;
  readonly bytes: number;
}

async function filesToCopy({ serverDir, configFiles }: BackupSources): Promise<readonly Copied[]> {
  const list = (folder: string) => readdir(folder, { withFileTypes: true }).catch(() => []);
  const letters = (await list(join(serverDir, deadLettersName)))
    .filter((entry) => entry.isFile() && !/\.(tmp|quarantine)$/.test(entry.name))
    .map(({ name }) => ({ from: join(serverDir, deadLettersName, name), path: `${deadLettersName}/${name}` }));
  const wanted = [
    ...serverFiles.map((name) => ({ from: join(serverDir, name), path: `${serverFilesName}/${name}` })),
    ...configFiles.map((file, i) => ({ from: file, path: `${configName}/${i + 1}-${basename(file).replaceAll(/[^A-Za-z0-9_.-]/g, '_')}` })),
    ...letters,
  ];
  const present = wanted.filter(({ from }) => existsSync(from));
  return Promise.all(present.map(async (file) => ({ ...file, bytes: await sizeOf(file.from) })));
}

async function copyHistory(
  { store }: BackupSources,
  copy: string,
  { signal }: BackupRun,
  progress: (done: number) => void,
): Promise<number> {
  if (store.copyTo === undefined) {
    throw new RetryableError('store.copyFailed', `The store ${store.name} is a server of its own: use its own backup`);
  }
  const watch = setInterval(() => void sizeOf(copy).then(progress), watchMs);
  try {
    return (await store.copyTo(copy, signal))?.nextIndex ?? 0;
  } finally {
    clearInterval(watch);
  }
}

/** Where live does not run nobody has it open. */
async function copyPlantState({ serverDir, copyPlantState: copyOpen }: BackupSources, copy: string): Promise<boolean> {
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
  if (copyOpen !== undefined) {
    if (!(await copyOpen(copy))) return false;
  } else {
    if (!existsSync(join(serverDir, plantStateFile))) return false;
    const state = await openPlantState(serverDir);
    await state.copyTo(copy).finally(() => state.close());
  }
  await chmod(copy, 0o600);
  return true;
}

/** A dead letter's file may go meanwhile, when the quota takes the oldest. */
async function copySecret(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await copyFile(from, to);
    await chmod(to, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function digests(
  folder: string,
  paths: readonly string[],
  read: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  let done = 0;
  for (const path of paths) {
    const file = join(folder, path);
    if (!existsSync(file)) continue;
    const sha256 = await digestOf(file, (bytes) => {
      signal?.throwIfAborted();
      done += bytes;
      read(done);
    });
    files.push({ path, bytes: await sizeOf(file), sha256 });
  }
  return files;
}

async function syncAll(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await syncPath(join(folder, path));
  const folders = new Set([folder]);
  for (const path of paths) for (let inner = dirname(path); inner !== '.'; inner = dirname(inner)) folders.add(join(folder, inner));
  for (const inner of folders) await syncPath(inner);
}

/** Files below `folder/path`, as paths from `folder`; [] when there is nothing. */
async function filesBelow(folder: string, path: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, inner)));
    else found.push(inner);
  }
  return found.sort();
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await filesBelow(dirname(folder), basename(folder))) bytes += await sizeOf(join(dirname(folder), path));
  return bytes;
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
