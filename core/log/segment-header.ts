/**
 * A segment file: a header of 64 bytes, then records. Its name repeats what is needed to read the records, so a damaged header
 * costs nothing but the two facts about its neighbour:
 *
 *     <first index, 16 digits>-<salt, 8 hex digits>.log
 *     magic 8 | version u32 | salt u32 | firstIndex u64 | previousEnd u64 | createdMs f64 | logId 16 | zeros 4 | crc u32
 *
 * `previousEnd` is the index behind the last record of the segment before: it is below `firstIndex` where indexes were left out.
 */
import { crc32 } from 'node:zlib';
import { FatalError } from '../process/errors.ts';

export const segmentHeaderBytes = 64;

const magic = Buffer.from('NHIPLOG\n');
const version = 1;
const logIdAt = 40;
const crcAt = segmentHeaderBytes - 4;
const namePattern = /^(\d{16})-([0-9a-f]{8})\.log$/;

export interface SegmentName {
  readonly firstIndex: number;
  readonly salt: number;
}

export interface SegmentHeader extends SegmentName {
  readonly previousEnd: number;
  /** Wall clock, ms since 1970. */
  readonly createdMs: number;
  /** The log's id: 32 hex digits. */
  readonly logId: string;
}

export function segmentFileName({ firstIndex, salt }: SegmentName): string {
  return `${String(firstIndex).padStart(16, '0')}-${salt.toString(16).padStart(8, '0')}.log`;
}

/** undefined when `fileName` is not a segment's. */
export function parseSegmentFileName(fileName: string): SegmentName | undefined {
  const [, index, salt] = namePattern.exec(fileName) ?? [];
  return index === undefined || salt === undefined ? undefined : { firstIndex: Number(index), salt: Number.parseInt(salt, 16) };
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const buffer = Buffer.alloc(segmentHeaderBytes);
  magic.copy(buffer);
  buffer.writeUInt32LE(version, 8);
  buffer.writeUInt32LE(header.salt, 12);
  buffer.writeBigUInt64LE(BigInt(header.firstIndex), 16);
  buffer.writeBigUInt64LE(BigInt(header.previousEnd), 24);
  buffer.writeDoubleLE(header.createdMs, 32);
  buffer.write(header.logId, logIdAt, 'hex');
  buffer.writeUInt32LE(crc32(buffer.subarray(0, crcAt)), crcAt);
  return buffer;
}

/**
 * undefined when the header is damaged or belongs to another file.
 * Throws a FatalError `log.newerFormat` for a sound header of a later version: that is no damage, and reading on would destroy it.
 */
export function decodeSegmentHeader(buffer: Buffer, name: SegmentName, path: string): SegmentHeader | undefined {
  const sound = buffer.length >= segmentHeaderBytes && crc32(buffer.subarray(0, crcAt)) === buffer.readUInt32LE(crcAt);
  if (!sound || !buffer.subarray(0, magic.length).equals(magic)) {
    return undefined;
  }
  const found = buffer.readUInt32LE(8);
  if (found !== version) {
    throw new FatalError(
      'log.newerFormat',
      `${path}: written in log format ${found}, this release reads ${version}; start the newer release again`,
    );
  }
  if (buffer.readUInt32LE(12) !== name.salt || buffer.readBigUInt64LE(16) !== BigInt(name.firstIndex)) {
    return undefined;
  }
  return {
    ...name,
    previousEnd: Number(buffer.readBigUInt64LE(24)),
    createdMs: buffer.readDoubleLE(32),
    logId: buffer.toString('hex', logIdAt, logIdAt + 16),
  };
}
