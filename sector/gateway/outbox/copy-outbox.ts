import type { Disk } from '@nhip/core/process/env';
import { readSmallFile } from '@nhip/core/process/small-file';
import { shelves } from './files.ts';
import { newestJournal } from './journal.ts';

const maxAttempts = 20;

/**
 * Copies the outbox in `folder` while it is in use, to the same place on another disk; resolves to the paths of the copy, [] when there is
 * no outbox. The copy is not durable yet.
 *
 * The journal comes first. It only grows, so what is read of it is a state that existed, but for a torn last line that opening cuts off.
 * A document is on disk before the journal names it: all that this journal names is found afterwards, unless it was pruned meanwhile. What
 * came later has no owner in the copy, and opening removes it.
 */
export async function copyOutbox(from: Disk, to: Disk, folder: string): Promise<readonly string[]> {
  const journal = await readJournal(from, folder);
  if (journal === undefined) return [];
  const copied: string[] = [];
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    const file = await to.open(path, 'create');
    await file.write(bytes, 0).finally(() => file.close());
    copied.push(path);
  };
  await to.makeDir(folder);
  await put(`${folder}/${journal.name}`, journal.bytes);
  for (const shelf of shelves) {
    const inside = `${folder}/${shelf}`;
    await to.makeDir(inside);
    for (const name of (await namesIn(from, inside)).filter((each) => each.endsWith('.json'))) {
      const bytes = await readSmallFile(from, inside, name);
      if (bytes !== undefined) await put(`${inside}/${name}`, bytes);
    }
  }
  return copied;
}

/** A journal that was written anew meanwhile is looked for again. */
async function readJournal(disk: Disk, folder: string): Promise<{ readonly name: string; readonly bytes: Uint8Array } | undefined> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const name = newestJournal(await namesIn(disk, folder));
    if (name === undefined) return undefined;
    const bytes = await readSmallFile(disk, folder, name);
    if (bytes !== undefined) return { name, bytes };
  }
  throw new Error(`the journal in ${folder} is written anew all the time`);
}

async function namesIn(disk: Disk, folder: string): Promise<readonly string[]> {
  try {
    return await disk.readDir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
