import type { Disk, Random } from '@nhip/core/process/env';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';

const file = 'stream';

/**
 * The outbox's 128-bit identity, made with its folder and kept in the file `stream` (32 hex digits, newline).
 * An unreadable file means a new stream: numbers of a lost outbox are never used again.
 */
export async function loadStreamId(disk: Disk, random: Random, folder: string): Promise<Uint8Array> {
  const bytes = await readSmallFile(disk, folder, file);
  const text = new TextDecoder().decode(bytes).trim();
  return /^[0-9a-f]{32}$/.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : makeStreamId(disk, random, folder);
}

/** Makes and stores a new identity, durable when it resolves. */
export async function makeStreamId(disk: Disk, random: Random, folder: string): Promise<Uint8Array> {
  const id = random.bytes(16);
  await replaceSmallFile(disk, folder, file, new TextEncoder().encode(`${Buffer.from(id).toString('hex')}\n`));
  return id;
}
