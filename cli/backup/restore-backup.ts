import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PermanentError } from '@nhip/core/process/errors';
import { ingestReader } from '@nhip/ingest/work-writer';
import { plantStateFile } from '@nhip/live/plant-state/plant-state';
import { coldFolderOf } from '@nhip/stores/duckdb/cold-catalog';
import { schemaVersion } from '@nhip/stores/duckdb/schema';
import { syncPath } from './digest.ts';
import { type LogPlace, setBackCursor } from './log-place.ts';
import {
  backupPath,
  coldName,
  configName,
  deadLettersName,
  historyName,
  type Manifest,
  readManifest,
  serverFilesName,
} from './manifest.ts';
import { copyBackup, verifyBackup } from './place-backup.ts';
import { planSharing, type SharingPlaces, sharingBytes, unpackSharing } from './sharing-backup.ts';
import { unpackTar } from './tar.ts';
import { requireSpace, serverFiles } from './write-backup.ts';

export interface RestoreTarget {
  /** The data folder. */
  readonly root: string;
  readonly serverDir: string;
  readonly storeFile: string;
  readonly sharing: SharingPlaces;
}

/** What of the backup replaces what is here, though that is newer. */
export interface RestoreWishes {
  readonly accounts: boolean;
  readonly sharing: boolean;
}

/** One thing that a restore does, in the order in which it is done. */
export interface RestoreStep {
  /** Path in the staged backup; undefined: what is there is only put aside. */
  readonly from: string | undefined;
  readonly to: string;
  /** Where what is there now goes; undefined when nothing is there. */
  readonly aside: string | undefined;
}

/** What is under this name in the server's folder says that a restore did not come to its end. */
const markerName = 'restore-unfinished';

/**
 * Brings the backup (folder or tar file) into the data folder under a name of its own and reads every byte of it again.
 * Resolves with where it is and what it says. Nothing else is touched. Throws PermanentError `backup.damaged`, `backup.unreadable`
 * or `backup.newer`, RetryableError `backup.noSpace`.
 */
export async function stageBackup(backup: string, root: string): Promise<{ readonly folder: string; readonly manifest: Manifest }> {
  const found = await stat(backup).catch(() => undefined);
  if (found === undefined) throw new PermanentError('backup.unreadable', `${backup} does not exist`);
  const folder = join(root, '.restore.partial');
  await rm(folder, { recursive: true, force: true });
  try {
    if (found.isDirectory()) {
      await requireSpace(
        root,
        readManifest(backup).files.reduce((sum, { bytes }) => sum + bytes, 0),
      );
      await copyBackup(backup, folder);
    } else {
      await requireSpace(root, found.size);
      await mkdir(folder, { mode: 0o700 });
      await unpackTar(backup, folder, (name) => backupPath.test(name));
    }
    const manifest = readManifest(folder);
    if (manifest.versions.storeSchema > schemaVersion) {
      throw new PermanentError(
        'backup.newer',
        `${backup} was made by Nhịp ${manifest.versions.nhip}, which is newer: install that release first`,
      );
    }
    await verifyBackup(folder, backup);
    await requireSpace(root, await sharingBytes(folder));
    await unpackSharing(folder, manifest.createdMs);
    return { folder, manifest };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * What a restore will do. The history is always replaced. Accounts and dead letters that are here are newer than those of the
 * backup, a revoked one must not come back by itself: the backup's are taken where there are none, or all with `accounts`. So it is with
 * what was shared (planSharing).
 */
export function planRestore(manifest: Manifest, target: RestoreTarget, wishes: RestoreWishes, stamp: string): readonly RestoreStep[] {
  const { root, serverDir, storeFile } = target;
  const step = (from: string, to: string) => ({
    from,
    to,
    aside: existsSync(to) ? `${to}.before-restore-${stamp}` : undefined,
  });
  const has = (path: string): boolean => manifest.files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
  const accountSteps = serverFiles
    .map((name) => step(`${serverFilesName}/${name}`, join(serverDir, name)))
    .filter(({ aside }) => wishes.accounts || aside === undefined);
  // What people corrected here is newer.
  const plantState = [step(`${serverFilesName}/${plantStateFile}`, join(serverDir, plantStateFile))].filter(
    ({ aside }) => aside === undefined,
  );
  const letters = [step(deadLettersName, join(serverDir, deadLettersName))].filter(({ aside }) => aside === undefined);
  const config = step(configName, join(root, `config-of-backup-${stamp}`));
  // Before the database: with it, what belongs to another one may not be there.
  const coldStep = step(coldName, coldFolderOf(storeFile));
  const cold = has(coldName) ? [coldStep] : coldStep.aside === undefined ? [] : [{ ...coldStep, from: undefined }];
  return [
    ...cold,
    ...[step(historyName, storeFile), ...accountSteps, ...plantState, ...letters, config].filter(({ from }) => has(from)),
    ...planSharing(manifest, target.sharing, root, wishes.sharing, stamp),
  ];
}

/** What the log has for the restored history, in plain words. */
export function describeLog({ checkpoint }: Manifest, place: LogPlace | undefined): string {
  const asked = 'Edges are asked for what is missing as soon as they are connected; what they no longer have becomes a loss report.';
  if (place?.firstIndex === undefined) return `There is no log here with what came since the backup. ${asked}`;
  if (place.id !== checkpoint.logId) return `The log here is not the one of the backup. What it holds is stored. ${asked}`;
  const gone = place.firstIndex - checkpoint.nextIndex;
  if (gone <= 0) return 'The log still holds everything since the backup: the server stores it by itself at its next start.';
  return `The log still holds what came since the backup, but for ${gone} records that are gone. ${asked}`;
}

/**
 * Puts a staged backup in place. What was there is renamed, nothing is deleted. The log stays and holds what the restored store has
 * not read. After a crash in the middle the server does not start until a restore has come to its end.
 */
export async function putInPlace(
  staged: string,
  manifest: Manifest,
  target: RestoreTarget,
  steps: readonly RestoreStep[],
  place: LogPlace | undefined,
): Promise<void> {
  const { root, serverDir, storeFile } = target;
  writeFileSync(join(serverDir, markerName), '', { mode: 0o600, flush: true });
  await syncPath(serverDir);
  for (const { from, to, aside } of steps) {
    if (aside !== undefined) await rename(to, aside);
    // A WAL belongs to its database only under that name; beside another one it would destroy it.
    const wal = `${storeFile}.wal`;
    if (to === storeFile && existsSync(wal)) await rename(wal, `${aside ?? `${to}.before-restore`}.wal`);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    if (from !== undefined) await move(join(staged, from), to);
    await syncPath(dirname(to));
  }
  const isSameLog = place?.id === manifest.checkpoint.logId;
  await setBackCursor(serverDir, ingestReader, isSameLog ? manifest.checkpoint.nextIndex : 0);
  rmSync(join(serverDir, markerName), { force: true });
  await syncPath(serverDir);
  await rm(staged, { recursive: true, force: true });
  await syncPath(root);
}

/** Throws PermanentError `backup.restoreUnfinished` when a restore into this folder was cut off. */
export function requireWholeFolder(serverDir: string): void {
  if (!existsSync(join(serverDir, markerName))) return;
  throw new PermanentError(
    'backup.restoreUnfinished',
    `A restore into ${serverDir} did not come to its end: run nhip restore again. What was there before is beside it, as *.before-restore-*.`,
  );
}

/** By name on the same disk, else by a durable copy that appears under its name when it is whole. Folders are always on the same disk. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    const partial = join(dirname(to), `.${basename(to)}.partial`);
    await rm(partial, { recursive: true, force: true });
    await copyDurable(from, partial);
    await rename(partial, to);
  }
}

/** A file, or a folder with all that is in it, onto another disk. */
async function copyDurable(from: string, to: string): Promise<void> {
  if ((await stat(from)).isDirectory()) {
    await mkdir(to, { mode: 0o700 });
    for (const name of await readdir(from)) await copyDurable(join(from, name), join(to, name));
  } else await copyFile(from, to);
  await syncPath(to);
}
