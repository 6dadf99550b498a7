/**
 * One record in a segment file, little endian:
 *
 *     marker u32 | crc u32 | offset u32 | length u32 | payload
 *
 * - `offset` is the record's index minus the first index of its segment.
 * - `length` counts the payload's bytes; its top bit marks the last record of a batch (one write, one sync).
 * - `crc` is zlib's CRC-32 over offset, length and payload, started with the segment's salt. The salt keeps bytes that look like a
 *   record (a log that was itself sent as a payload) from being taken for one.
 *
 * The marker and the offset let a scan that met damage find the next whole record and know its index.
 */
import { crc32 } from 'node:zlib';

export const recordHeaderBytes = 16;
/** The largest payload. Bounds what a scan has to hold in memory. */
export const maxPayloadBytes = 16 * 1024 * 1024;

const marker = Buffer.from([0xc6, 0x9e, 0x1d, 0xf5]);
const markerValue = marker.readUInt32LE(0);
const batchEndBit = 0x8000_0000;
const lengthMask = 0x7fff_ffff;

/** Answers of `checkRecord` that are not a size. */
export const incomplete = 0;
export const damaged = -1;

/** The bytes of one batch: `payloads` as records with offsets from `firstOffset` on. Payloads are copied. */
export function encodeBatch(payloads: readonly Uint8Array[], firstOffset: number, salt: number): Buffer {
  let bytes = 0;
  for (const payload of payloads) {
    bytes += recordHeaderBytes + payload.length;
  }
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const [i, payload] of payloads.entries()) {
    const end = at + recordHeaderBytes + payload.length;
    buffer.writeUInt32LE(markerValue, at);
    buffer.writeUInt32LE(firstOffset + i, at + 8);
    buffer.writeUInt32LE(i === payloads.length - 1 ? payload.length + batchEndBit : payload.length, at + 12);
    buffer.set(payload, at + recordHeaderBytes);
    buffer.writeUInt32LE(crc32(buffer.subarray(at + 8, end), salt), at + 4);
    at = end;
  }
  return buffer;
}

/**
 * Looks at the record at `at`. Answers its whole size in bytes (> 0) when it is there and sound, `incomplete` when `buffer` ends
 * before the record does, `damaged` otherwise.
 */
export function checkRecord(buffer: Buffer, at: number, salt: number): number {
  if (at + recordHeaderBytes > buffer.length) {
    return incomplete;
  }
  if (buffer.readUInt32LE(at) !== markerValue) {
    return damaged;
  }
  const size = recordSize(buffer, at);
  if (size > recordHeaderBytes + maxPayloadBytes) {
    return damaged;
  }
  if (at + size > buffer.length) {
    return incomplete;
  }
  return crc32(buffer.subarray(at + 8, at + size), salt) === buffer.readUInt32LE(at + 4) ? size : damaged;
}

/** The whole size that the record header at `at` claims. */
export function recordSize(buffer: Buffer, at: number): number {
  return recordHeaderBytes + (buffer.readUInt32LE(at + 12) & lengthMask);
}

export function recordOffset(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + 8);
}

export function isBatchEnd(buffer: Buffer, at: number): boolean {
  return buffer.readUInt32LE(at + 12) >= batchEndBit;
}

/**
 * The position of the first sound record at or after `from` whose offset can be right behind damage: at least `expectedOffset`, and
 * no further on than the skipped bytes could hold records. -1 when there is none in `buffer`.
 */
export function findRecord(buffer: Buffer, from: number, expectedOffset: number, salt: number): number {
  for (let at = buffer.indexOf(marker, from); at >= 0; at = buffer.indexOf(marker, at + 1)) {
    if (checkRecord(buffer, at, salt) > 0) {
      const skipped = recordOffset(buffer, at) - expectedOffset;
      if (skipped >= 0 && skipped * recordHeaderBytes <= at) {
        return at;
      }
    }
  }
  return -1;
}
