import type { Disk } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';

const file = 'bdseq';

/**
 * The birth/death sequence number: +1 with every CONNECT, 255 → 0, kept over restarts (tck-id-topics-nbirth-bdseq-increment),
 * so that a late will of the last session is not taken for a death of this one. Call the result before each attempt to connect;
 * `isFree` says that the last number never left this computer and is to be used. It never rejects: with a full disk the session
 * must still come up, because sending is what makes room.
 */
export function createBdSeq(disk: Disk, folder: string, log: Log): (isFree: boolean) => Promise<number> {
  let last: number | undefined;
  let isStuck = false;
  return async (isFree) => {
    if (isFree && last !== undefined) return last;
    try {
      last ??= (await readSmallFile(disk, folder, file))?.[0];
      last = last === undefined ? 0 : (last + 1) % 256;
      await replaceSmallFile(disk, folder, file, Uint8Array.of(last));
      isStuck = false;
    } catch (error) {
      if (!isStuck) log.warn({ err: error }, 'The bdSeq of the session could not be kept on disk');
      isStuck = true;
    }
    last ??= 0;
    return last;
  };
}
