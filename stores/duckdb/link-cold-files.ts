import { copyFile, link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import { coldFolderOf } from './cold-catalog.ts';
import type { Cold } from './cold-store.ts';

/**
 * Puts the live files beside a copy of the database, as the copy looks for them. They never change, so a second name is enough;
 * on another disk they are copied. Throws RetryableError `store.copyFailed`.
 */
export async function linkColdFiles({ folder, files }: Cold, databaseCopy: string, signal?: AbortSignal): Promise<void> {
  const target = coldFolderOf(databaseCopy);
  try {
    for (const { name } of files) {
      signal?.throwIfAborted();
      await mkdir(dirname(join(target, name)), { recursive: true, mode: 0o700 });
      await linkOrCopy(join(folder, name), join(target, name));
    }
  } catch (error) {
    throw new RetryableError('store.copyFailed', `The files of ${folder} could not be copied to ${target}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const isOtherDisk = error instanceof Error && 'code' in error && ['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes(String(error.code));
    if (!isOtherDisk) throw error;
    await copyFile(from, to);
  }
}
