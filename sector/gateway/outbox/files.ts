import type { Disk } from '@nhip/core/process/env';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';

/** Documents of the outbox, one file each, durable when written. `bytes`: what leaves; `source`: what it was made from; `receipts`. */
export type Shelf = 'bytes' | 'source' | 'receipts';
export const shelves: readonly Shelf[] = ['bytes', 'source', 'receipts'];

export interface OutboxFiles {
  write(shelf: Shelf, id: string, bytes: Uint8Array): Promise<void>;
  /** undefined: there is none. */
  read(shelf: Shelf, id: string): Promise<Uint8Array | undefined>;
  remove(id: string): Promise<void>;
  /** Removes what no item owns: left by a crash before its item was committed. */
  keepOnly(ids: ReadonlySet<string>): Promise<void>;
}

export function createOutboxFiles(disk: Disk, folder: string): OutboxFiles {
  const names = async (shelf: Shelf): Promise<readonly string[]> => {
    await disk.makeDir(`${folder}/${shelf}`);
    return disk.readDir(`${folder}/${shelf}`);
  };
  return {
    write: (shelf, id, bytes) => replaceSmallFile(disk, `${folder}/${shelf}`, `${id}.json`, bytes),
    read: (shelf, id) => readSmallFile(disk, `${folder}/${shelf}`, `${id}.json`),
    async remove(id) {
      for (const shelf of shelves) {
        if ((await names(shelf)).includes(`${id}.json`)) await disk.unlink(`${folder}/${shelf}/${id}.json`);
      }
    },
    async keepOnly(ids) {
      for (const shelf of shelves) {
        for (const name of await names(shelf)) {
          if (!name.endsWith('.json') || !ids.has(name.slice(0, -'.json'.length))) await disk.unlink(`${folder}/${shelf}/${name}`);
        }
      }
    },
  };
}
