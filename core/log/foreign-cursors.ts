import type { Disk } from '../process/env.ts';
import { readSlots } from './cursor-file.ts';
import { hasCode } from './disk-errors.ts';

const prefix = 'cursor-';

/** The cursor file of a reader in another process. A name is used as it is, so it must be fit for a file name. */
export function foreignCursorFileName(reader: string): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(reader)) {
    throw new RangeError(`${reader}: a reader's name may have letters, digits, "_", "-" and ".", up to 64`);
  }
  return prefix + reader;
}

/**
 * The durable cursors of readers in other processes, by reader. A file that cannot be read counts as 0: it holds everything back
 * until it is repaired or removed.
 */
export async function foreignCursors(disk: Disk, dir: string): Promise<ReadonlyMap<string, number>> {
  const cursors = new Map<string, number>();
  for (const fileName of await disk.readDir(dir)) {
    if (fileName.startsWith(prefix) && !fileName.endsWith('.tmp')) {
      const reader = fileName.slice(prefix.length);
      cursors.set(reader, (await readDurable(disk, `${dir}/${fileName}`))?.get(reader) ?? 0);
    }
  }
  return cursors;
}

async function readDurable(disk: Disk, path: string): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const file = await disk.open(path, 'read');
    try {
      const content = await readSlots(file);
      // The other process may not have synced yet what was just read.
      await file.sync();
      return content?.cursors;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}
