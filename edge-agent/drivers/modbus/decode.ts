import type { Value } from '@nhip/core/wire/sample';
import type { ByteOrder, ModbusAddress } from './address.ts';

/** Reads one raw value. `data` holds the bytes of a block as they came, `offset` is the distance of the value from its start: in
 *  bytes for registers, in bits for coils and discrete inputs (least significant bit of the first byte first). */
export type Decoder = (data: Buffer, offset: number) => Value;

/** The decoder for an address. 64-bit integers come as number while they are exact and as bigint beyond. */
export function createDecoder(address: ModbusAddress): Decoder {
  if (address.table === 'coil' || address.table === 'discrete') {
    return (data, bitOffset) => (((data[bitOffset >> 3] ?? 0) >> (bitOffset & 7)) & 1) === 1;
  }
  const { bit, type, count } = address;
  if (type === 'string') return stringDecoder(address.stringBytes, address.order !== 'ABCD');
  if (bit !== undefined) {
    const read = reader('uint16');
    return ordered(address.order, 2, (bytes, at) => (((read(bytes, at) as number) >> bit) & 1) === 1);
  }
  return ordered(address.order, count * 2, reader(type));
}

type Reader = (bytes: Buffer, at: number) => Value;

function reader(type: Exclude<ModbusAddress['type'], 'string'>): Reader {
  switch (type) {
    case 'int16':
      return (b, at) => b.readInt16BE(at);
    case 'int32':
      return (b, at) => b.readInt32BE(at);
    case 'uint32':
      return (b, at) => b.readUInt32BE(at);
    case 'int64':
      return (b, at) => exact(b.readInt32BE(at), b.readUInt32BE(at + 4));
    case 'uint64':
      return (b, at) => exact(b.readUInt32BE(at), b.readUInt32BE(at + 4));
    case 'float32':
      return (b, at) => b.readFloatBE(at);
    case 'float64':
      return (b, at) => b.readDoubleBE(at);
    default:
      return (b, at) => b.readUInt16BE(at);
  }
}

/** Two halves of a 64-bit integer; bigint only when a number cannot hold it. */
function exact(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}

/** Puts the bytes of a value into big-endian order first. */
function ordered(order: ByteOrder, byteCount: number, read: Reader): Decoder {
  if (order === 'ABCD') return read;
  const from = permutation(order, byteCount);
  const sorted = Buffer.alloc(byteCount);
  return (data, offset) => {
    for (let i = 0; i < byteCount; i++) sorted[i] = data[offset + (from[i] ?? 0)] ?? 0;
    return read(sorted, 0);
  };
}

/** For each byte of the big-endian value, its place in what arrived. Longer values repeat the pattern over all their registers. */
function permutation(order: ByteOrder, byteCount: number): readonly number[] {
  return Array.from({ length: byteCount }, (_, i) => {
    const wordsReversed = order === 'CDAB' || order === 'DCBA';
    const bytesSwapped = order === 'BADC' || order === 'DCBA';
    const word = i >> 1;
    const place = wordsReversed ? byteCount / 2 - 1 - word : word;
    return place * 2 + (bytesSwapped ? 1 - (i & 1) : i & 1);
  });
}

/** Text ends at the first NUL; spaces at its end are padding. */
function stringDecoder(byteCount: number, swapped: boolean): Decoder {
  return (data, offset) => {
    const bytes = Buffer.from(data.subarray(offset, offset + byteCount + (byteCount & 1)));
    if (swapped) bytes.swap16();
    const end = bytes.subarray(0, byteCount).indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? byteCount : end).trimEnd();
  };
}
