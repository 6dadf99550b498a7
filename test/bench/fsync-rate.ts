import { closeSync, fdatasyncSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** How many writes of `bytes`, each made durable, the disk under `dir` takes in a second, one after the other. */
export function fsyncsPerS(dir: string, bytes: number, count: number): number {
  const file = join(dir, 'fsync-rate');
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(bytes, 1);
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(fd, block, 0, bytes, i * bytes);
    fdatasyncSync(fd);
  }
  const seconds = (performance.now() - started) / 1000;
  closeSync(fd);
  unlinkSync(file);
  return count / seconds;
}

const tmpfsMagic = 0x01021994;

/** On a file system in memory a sync costs nothing and promises nothing. */
export function isInMemory(dir: string): boolean {
  return statfsSync(dir).type === tmpfsMagic;
}
