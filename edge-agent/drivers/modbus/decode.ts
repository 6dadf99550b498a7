import type { Value } from '@nhip/core/wire/sample';
import type { BitRange, ModbusAddress } from './address.ts';
import { type ByteOrder, permutation } from './byte-order.ts';
import { valueTypes } from './value-types.ts';

/**
 * Reads one raw value. `data` holds the bytes of a block as they came, `offset` is the distance of the value from its start: in bytes for
 * registers, in bits for coils and discrete inputs (least significant bit of the first byte first). `null`: the bytes are no value
 * of the type.
 */
export type Decoder = (data: Buffer, offset: number) => Value;

/** The decoder for an address. 64-bit integers come as number while they are exact and as bigint beyond. */
export function createDecoder(address: ModbusAddress): Decoder {
  const { bits, type, count, order } = address;
  if (address.table === 'coil' || address.table === 'discrete') {
    return (data, bitOffset) => (((data[bitOffset >> 3] ?? 0) >> (bitOffset & 7)) & 1) === 1;
  }
  if (type === 'string') return stringDecoder(address.stringBytes, order !== 'ABCD');
  if (bits !== undefined) return ordered(order, 2, partReader(bits, type));
  return ordered(order, count * 2, type === 'bool' ? (b, at) => b.readUInt16BE(at) : valueTypes[type].read);
}

function partReader(bits: BitRange, type: ModbusAddress['type']): Decoder {
  const { from, count } = bits;
  if (type === 'bool') return (bytes, at) => ((bytes.readUInt16BE(at) >> from) & 1) === 1;
  const isSigned = type === 'int8' || type === 'int16';
  return (bytes, at) => {
    const value = (bytes.readUInt16BE(at) >> from) & ((1 << count) - 1);
    return isSigned && value >> (count - 1) === 1 ? value - (1 << count) : value;
  };
}

/** Puts the bytes of a value into big-endian order first. */
function ordered(order: ByteOrder, byteCount: number, read: Decoder): Decoder {
  if (order === 'ABCD') return read;
  const from = permutation(order, byteCount);
  const sorted = Buffer.alloc(byteCount);
  return (data, offset) => {
    for (let i = 0; i < byteCount; i++) sorted[i] = data[offset + (from[i] ?? 0)] ?? 0;
    return read(sorted, 0);
  };
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
