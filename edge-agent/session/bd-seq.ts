import type { Disk } from '@nhip/core/process/env';

/**
 * The birth/death sequence number: +1 with every CONNECT, 255 → 0, kept over restarts (tck-id-topics-nbirth-bdseq-increment),
 * so that a late will of the last session is not taken for a death of this one.
 */
export async function nextBdSeq(disk: Disk, folder: string): Promise<number> {
  const path = `${folder}/bdseq`;
  await disk.makeDir(folder);
  const file = await disk.open(path, 'create');
  try {
    const buffer = new Uint8Array(1);
    const length = await file.read(buffer, 0);
    const next = length === 0 ? 0 : ((buffer[0] as number) + 1) % 256;
    await file.write(Uint8Array.of(next), 0);
    await file.sync();
    return next;
  } finally {
    await file.close();
  }
}
