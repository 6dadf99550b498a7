import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermanentError } from '@nhip/core/process/errors';

/**
 * The part of the tar format (POSIX.1-1988 ustar, sizes from 8 GiB on in base 256 as GNU and BSD tar write them) that a backup
 * needs: plain files with short names, one after the other. Each is a header of 512 bytes, the content, zeros up to the next
 * multiple of 512; two blocks of zeros end the archive. Any tar program reads it.
 */
const blockBytes = 512;
const sizeAt = 124;
const checksumAt = 148;
const typeAt = 156;
const magicAt = 257;
/** What 11 octal digits hold. */
const largestOctal = 8 ** 11;

/** Writes `names` below `folder` into the new file `archive` (mode 0600), in this order. Durable when it resolves. */
export async function packTar(folder: string, names: readonly string[], archive: string, packed: (bytes: number) => void): Promise<void> {
  const target = await open(archive, 'wx', 0o600);
  try {
    for (const name of names) {
      const source = await open(join(folder, name), 'r');
      try {
        const { size, mtimeMs } = await source.stat();
        await target.write(tarHeader(name, size, mtimeMs));
        await copyBytes(source, target, size, name, packed);
        await target.write(Buffer.alloc(padding(size)));
      } finally {
        await source.close();
      }
    }
    await target.write(Buffer.alloc(2 * blockBytes));
    await target.sync();
  } finally {
    await target.close();
  }
}

/**
 * Unpacks plain files of `archive` into `folder`, files 0600, folders 0700; everything else in it is refused, also names that
 * `accept` does not know. Throws PermanentError `backup.damaged`.
 */
export async function unpackTar(
  archive: string,
  folder: string,
  accept: (name: string) => boolean,
  unpacked: (bytes: number) => void = () => {},
): Promise<void> {
  const source = await open(archive, 'r');
  try {
    for (;;) {
      const block = Buffer.alloc(blockBytes);
      await readFully(source, block, archive);
      if (block.every((byte) => byte === 0)) return;
      const { name, size, kind } = parseHeader(block, archive);
      // tar programs add the folder when a person packs one.
      if (kind === 'folder') continue;
      if (kind !== 'file' || !accept(name))
        throw new PermanentError('backup.damaged', `${archive}: "${name}" does not belong into a backup`);
      await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
      const target = await open(join(folder, name), 'wx', 0o600);
      try {
        await copyBytes(source, target, size, archive, unpacked);
        await target.sync();
      } finally {
        await target.close();
      }
      await readFully(source, Buffer.alloc(padding(size)), archive);
    }
  } finally {
    await source.close();
  }
}

function padding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

export function tarHeader(name: string, size: number, mtimeMs: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(name) > 100) throw new RangeError(`${name}: a name in a backup has at most 100 bytes`);
  const octal = (value: number, at: number, digits: number): void =>
    void header.write(`${Math.floor(value).toString(8).padStart(digits, '0')}\0`, at);
  header.write(name, 0);
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  if (size < largestOctal) octal(size, sizeAt, 11);
  else {
    header[sizeAt] = 0x80;
    header.writeBigUInt64BE(BigInt(size), sizeAt + 4);
  }
  octal(mtimeMs / 1000, 136, 11);
  header.write('        ', checksumAt);
  header.write('0', typeAt);
  header.write('ustar\0' + '00', magicAt, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    checksumAt,
    6,
  );
  header[checksumAt + 7] = 0x20;
  return header;
}

interface TarEntry {
  readonly name: string;
  readonly size: number;
  readonly kind: 'file' | 'folder' | 'other';
}

export function parseHeader(header: Buffer, source: string): TarEntry {
  const text = (at: number, length: number): string => header.toString('utf8', at, at + length).split('\0')[0] ?? '';
  const expected = Number.parseInt(text(checksumAt, 8), 8);
  const sum = header.reduce((total, byte, i) => total + (i >= checksumAt && i < checksumAt + 8 ? 0x20 : byte), 0);
  if (sum !== expected) throw new PermanentError('backup.damaged', `${source}: it is no tar file, or it is damaged`);
  const size = (header[sizeAt] ?? 0) >= 0x80 ? Number(header.readBigUInt64BE(sizeAt + 4)) : Number.parseInt(text(sizeAt, 12), 8);
  if (!Number.isSafeInteger(size)) throw new PermanentError('backup.damaged', `${source}: a file in it has no size`);
  const type = text(typeAt, 1);
  // `./name` is what `tar -C folder .` writes.
  return { name: text(0, 100).replace(/^\.\//, ''), size, kind: type === '0' || type === '' ? 'file' : type === '5' ? 'folder' : 'other' };
}

async function copyBytes(from: FileHandle, to: FileHandle, size: number, name: string, copied: (bytes: number) => void): Promise<void> {
  const buffer = Buffer.alloc(Math.min(1_048_576, Math.max(1, size)));
  for (let left = size; left > 0; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, left), null);
    if (bytesRead === 0) throw new PermanentError('backup.damaged', `${name}: it ends too early`);
    await writeFully(to, buffer.subarray(0, bytesRead));
    left -= bytesRead;
    copied(bytesRead);
  }
}

async function writeFully(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
}

async function readFully(file: FileHandle, buffer: Buffer, name: string): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, null);
    if (bytesRead === 0) throw new PermanentError('backup.damaged', `${name}: it ends too early`);
    done += bytesRead;
  }
}
