import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PermanentError } from '@nhip/core/process/errors';
import { digestOf, syncPath } from './digest.ts';
import { manifestName, readManifest } from './manifest.ts';
import { packTar } from './tar.ts';
import { requireSpace } from './write-backup.ts';

/**
 * Moves a finished backup to `target`, a folder or a `.tar` file whose parent exists. What is under its final name is whole. `made` is
 * gone in any case: one more with every failure would fill the disk of the server. Resolves with the bytes of its files. Throws
 * RetryableError `backup.noSpace`.
 */
export async function placeBackup(made: string, target: string): Promise<number> {
  const bytes = readManifest(made).files.reduce((sum, file) => sum + file.bytes, 0);
  const partial = join(dirname(target), `.${basename(target)}.partial`);
  try {
    if (target.endsWith('.tar')) await pack(made, partial, bytes);
    else if (await isMoved(made, target)) return bytes;
    else await copyChecked(made, partial, bytes);
    await rename(partial, target);
    await syncPath(dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return bytes;
}

async function pack(made: string, archive: string, bytes: number): Promise<void> {
  await requireSpace(dirname(archive), bytes);
  await rm(archive, { recursive: true, force: true });
  await packTar(made, [manifestName, ...readManifest(made).files.map(({ path }) => path)], archive, () => {});
}

/** Whether the backup could be renamed; false when the target is on another disk. */
async function isMoved(made: string, target: string): Promise<boolean> {
  try {
    await rename(made, target);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EXDEV') return false;
    throw error;
  }
  await syncPath(dirname(target));
  return true;
}

async function copyChecked(made: string, folder: string, bytes: number): Promise<void> {
  await requireSpace(dirname(folder), bytes);
  await rm(folder, { recursive: true, force: true });
  await copyBackup(made, folder);
  await verifyBackup(folder);
}

/** Copies a backup into the new folder `folder` (0700, files 0600 as they are in a backup), durable when it resolves. */
export async function copyBackup(from: string, folder: string): Promise<void> {
  const folders = new Set([folder]);
  await mkdir(folder, { mode: 0o700 });
  for (const path of [...readManifest(from).files.map((file) => file.path), manifestName]) {
    const to = join(folder, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    folders.add(dirname(to));
    await copyFile(join(from, path), to);
    await syncPath(to);
  }
  for (const each of folders) await syncPath(each);
}

/** Reads every file of a backup folder. Throws PermanentError `backup.damaged` that names `source` and the files that differ from the manifest. */
export async function verifyBackup(folder: string, source = folder): Promise<void> {
  const damaged: string[] = [];
  for (const { path, sha256 } of readManifest(folder).files) {
    const found = await digestOf(join(folder, path)).catch(() => undefined);
    if (found !== sha256) damaged.push(`${path} ${found === undefined ? 'is missing or cannot be read' : 'is not what was written'}`);
  }
  if (damaged.length > 0) {
    throw new PermanentError('backup.damaged', `${source}: ${damaged.slice(0, 5).join('; ')}. Use another backup; nothing was changed.`);
  }
}
