import type { Disk, OpenFile } from '@nhip/core/process/env';

export interface DiskUse {
  /** Bytes that were handed to the system. */
  readonly bytes: number;
  /** 4 KiB pages that these bytes lie in: a card is written in pages at the least. */
  readonly pages: number;
  readonly syncs: number;
}

const pageBytes = 4096;

/** The same disk, and what was written to it so far. */
export function countingDisk(disk: Disk): { readonly disk: Disk; use(): DiskUse } {
  let bytes = 0;
  let pages = 0;
  let syncs = 0;
  const counting = (file: OpenFile): OpenFile => ({
    ...file,
    async write(buffer, position) {
      await file.write(buffer, position);
      bytes += buffer.length;
      if (buffer.length > 0) pages += Math.floor((position + buffer.length - 1) / pageBytes) - Math.floor(position / pageBytes) + 1;
    },
    async sync() {
      syncs++;
      await file.sync();
    },
  });
  return {
    disk: { ...disk, open: async (path, mode) => counting(await disk.open(path, mode)) },
    use: () => ({ bytes, pages, syncs }),
  };
}
