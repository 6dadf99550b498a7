import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { atExit } from '../harness/at-exit.ts';

/** An ext4 of its own in a file, whose block device counts what is written to it and nothing else. Needs root. */
export interface OwnDisk {
  readonly path: string;
  /** Bytes that reached the device so far: data, inodes and journal. */
  bytesWritten(): number;
  remove(): void;
}

const megabytes = 512;
/** `/sys/block/…/stat` counts in these, whatever the device has. */
const sectorBytes = 512;

export function mountOwnDisk(folder: string): OwnDisk {
  const [image, path] = [join(folder, 'disk.img'), join(folder, 'disk')];
  const file = openSync(image, 'w');
  ftruncateSync(file, megabytes * 1024 * 1024);
  closeSync(file);
  mkdirSync(path, { mode: 0o700 });
  run('mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
  run('mount', '-o', 'loop', image, path);
  const device = basename(run('losetup', '-n', '-O', 'NAME', '-j', image).trim());
  return {
    path,
    bytesWritten: () => Number(readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/)[6]) * sectorBytes,
    remove: atExit(() => void run('umount', '-l', path)),
  };
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
