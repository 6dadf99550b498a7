import type { Clock, Disk, OpenFile } from '@nhip/core/process/env';

/** The disk with syncs that take time, as on an SD card: what happens meanwhile finds a commit under way. */
export function slowDisk(disk: Disk, clock: Clock, syncMs: number): Disk {
  if (syncMs === 0) return disk;
  const slowFile = (file: OpenFile): OpenFile => ({
    read: file.read,
    write: file.write,
    truncate: file.truncate,
    size: file.size,
    close: file.close,
    async sync() {
      await clock.sleep(syncMs);
      await file.sync();
    },
  });
  return {
    ...disk,
    open: async (path, mode) => slowFile(await disk.open(path, mode)),
    async syncDir(path) {
      await clock.sleep(syncMs);
      await disk.syncDir(path);
    },
  };
}
