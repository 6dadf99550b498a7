import type { Disk } from '@nhip/core/process/env';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';

/**
 * The birth/death sequence number: +1 with every CONNECT, 255 → 0, kept over restarts (tck-id-topics-nbirth-bdseq-increment),
 * so that a late will of the last session is not taken for a death of this one.
 */
export async function nextBdSeq(disk: Disk, folder: string): Promise<number> {
  const last = (await readSmallFile(disk, folder, 'bdseq'))?.[0];
  const next = last === undefined ? 0 : (last + 1) % 256;
  await replaceSmallFile(disk, folder, 'bdseq', Uint8Array.of(next));
  return next;
}
