import { statfs } from 'node:fs/promises';

/** Bytes that the disk of a folder has for us. Rejects when there is no such folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Calls `full` when less than `reserveBytes` are free; a folder that is not there (yet, or any more) says nothing. Returns what ends it. */
export function watchRoom(folder: string, reserveBytes: number, full: () => void, everyMs = 250): () => void {
  const look = async (): Promise<void> => {
    const free = await freeBytes(folder).catch(() => Number.POSITIVE_INFINITY);
    if (free < reserveBytes) full();
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
}
