import type { Disk } from './env.ts';

/** Small files that are read and replaced as a whole: a crash leaves the old one or the new one, never a mix. */

/** The bytes of a file; `undefined` when there is none. */
export async function readSmallFile(disk: Disk, folder: string, name: string): Promise<Uint8Array | undefined> {
  try {
    const file = await disk.open(`${folder}/${name}`, 'read');
    try {
      const bytes = new Uint8Array(await file.size());
      const length = await file.read(bytes, 0);
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file, durable when it resolves. Makes the folder when it is missing. */
export async function replaceSmallFile(disk: Disk, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await disk.makeDir(folder);
  const file = await disk.open(`${folder}/${name}.new`, 'create');
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${folder}/${name}.new`, `${folder}/${name}`);
  await disk.syncDir(folder);
}
