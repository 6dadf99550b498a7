import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

/** A small file system of its own under a folder, so that it can be filled without harm. Needs root. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  /** Deletes everything on it. */
  empty(): void;
  /** Nobody may write any more; no file may be open for writing. */
  lock(): void;
  unlock(): void;
  /** Unmounts it; what it held is gone. */
  remove(): void;
}

const pieceBytes = 65_536;

export function mountSmallDisk(path: string, megabytes: number): SmallDisk {
  const filler = join(path, 'filler');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  mount('-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'nhip-test', path);
  return {
    path,
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let bytes = pieceBytes; bytes >= 1; ) {
          try {
            if (writeSync(file, Buffer.alloc(bytes)) < bytes) bytes >>= 1;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            bytes >>= 1;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    empty() {
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
    },
    lock: () => mount('-o', 'remount,ro', path),
    unlock: () => mount('-o', 'remount,rw', path),
    remove: atExit(() => void execFileSync('umount', ['-l', path])),
  };
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
