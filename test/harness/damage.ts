import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What a bad card or a power cut does to the files of a segment log. The log must not be open. */

/** The newest segment of a log. Throws when there is none. */
export function newestSegment(dir: string): string {
  const name = readdirSync(dir)
    .filter((each) => each.endsWith('.log'))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error(`${dir} has no segment`);
  return join(dir, name);
}

/** Cuts the last bytes off. */
export function tear(file: string, bytes: number): void {
  truncateSync(file, Math.max(0, statSync(file).size - bytes));
}

/** Writes noise behind the end, as a torn write of a file that had grown already. */
export function appendNoise(file: string, bytes: number, random: () => number): void {
  const handle = openSync(file, 'a');
  writeSync(
    handle,
    Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)),
  );
  closeSync(handle);
}

/** Flips one bit in each of `count` bytes between these shares of the file, 0 to 1. */
export function flipBits(file: string, { from, to, count }: { readonly from: number; readonly to: number; readonly count: number }): void {
  const { size } = statSync(file);
  const handle = openSync(file, 'r+');
  for (let i = 0; i < count; i++) {
    const at = Math.floor(size * (from + ((to - from) * i) / count));
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    writeSync(handle, byte, 0, 1, at);
  }
  closeSync(handle);
}
