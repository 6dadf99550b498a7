import type { Disk, Random } from '@nhip/core/process/env';

const file = 'stream';

/**
 * The outbox's 128-bit identity, made with its folder and kept in the file `stream` (32 hex digits, newline).
 * An unreadable file means a new stream: numbers of a lost outbox are never used again.
 */
export async function loadStreamId(disk: Disk, random: Random, folder: string): Promise<Uint8Array> {
  return (await readStreamId(disk, folder)) ?? (await makeStreamId(disk, random, folder));
}

/** Makes and stores a new identity, durable when it resolves. */
export async function makeStreamId(disk: Disk, random: Random, folder: string): Promise<Uint8Array> {
  await disk.makeDir(folder);
  const id = random.bytes(16);
  const temporary = await disk.open(`${folder}/${file}.tmp`, 'create');
  await temporary.truncate(0);
  await temporary.write(new TextEncoder().encode(`${Buffer.from(id).toString('hex')}\n`), 0);
  await temporary.sync();
  await temporary.close();
  await disk.rename(`${folder}/${file}.tmp`, `${folder}/${file}`);
  await disk.syncDir(folder);
  return id;
}

async function readStreamId(disk: Disk, folder: string): Promise<Uint8Array | undefined> {
  try {
    const handle = await disk.open(`${folder}/${file}`, 'read');
    const buffer = new Uint8Array(64);
    const length = await handle.read(buffer, 0);
    await handle.close();
    const text = new TextDecoder().decode(buffer.subarray(0, length)).trim();
    return /^[0-9a-f]{32}$/.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}
