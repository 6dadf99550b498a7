import type { Value } from '@nhip/core/wire/sample';
import type { ModbusAddress } from './address.ts';
import { permutation } from './byte-order.ts';
import { valueTypes, whole } from './value-types.ts';

/** What a write puts into the device. */
export type Encoded =
  | { readonly kind: 'coil'; readonly isOn: boolean }
  /** Whole registers, in the order in which they go on the wire. */
  | { readonly kind: 'registers'; readonly bytes: Buffer }
  /** Some bits of one register, as they go on the wire: `register = (register AND NOT mask) OR value`. */
  | { readonly kind: 'bits'; readonly mask: number; readonly value: number };

/** The inverse of the decoder of `address`. Throws RangeError, in one sentence, for a raw value that it cannot hold. */
export function encode(address: ModbusAddress, raw: NonNullable<Value>): Encoded {
  const { bits, type, order, count } = address;
  if (type === 'bool') {
    if (typeof raw !== 'boolean') throw new RangeError(`${raw} is neither true nor false`);
    if (bits === undefined) return { kind: 'coil', isOn: raw };
  }
  if (type === 'string') return { kind: 'registers', bytes: encodeText(address, raw) };
  if (bits !== undefined) {
    const isSigned = type === 'int8' || type === 'int16';
    const least = isSigned ? -(2 ** (bits.count - 1)) : 0;
    const value = whole(type === 'bool' ? Number(raw) : numberOf(raw), least, least + 2 ** bits.count - 1);
    const mask = ((1 << bits.count) - 1) << bits.from;
    const onWire = (register: number): number => (order === 'ABCD' ? register : ((register & 0xff) << 8) | (register >> 8));
    return { kind: 'bits', mask: onWire(mask), value: onWire((value << bits.from) & mask) };
  }
  const bytes = Buffer.alloc(count * 2);
  if (type !== 'bool') valueTypes[type].write(numberOf(raw), bytes);
  const sorted = Buffer.alloc(bytes.length);
  permutation(order, bytes.length).forEach((place, i) => {
    sorted[place] = bytes[i] ?? 0;
  });
  return { kind: 'registers', bytes: sorted };
}

function numberOf(raw: NonNullable<Value>): number | bigint {
  if (typeof raw === 'bigint' || (typeof raw === 'number' && Number.isFinite(raw))) return raw;
  throw new RangeError(`${raw} is not a number`);
}

/** Padded with NUL. */
function encodeText(address: ModbusAddress, raw: NonNullable<Value>): Buffer {
  if (typeof raw !== 'string') throw new RangeError(`${raw} is not a text`);
  const bytes = Buffer.alloc(address.count * 2);
  const text = Buffer.from(raw, 'utf8');
  if (text.length > address.stringBytes)
    throw new RangeError(`the text has ${text.length} bytes, there is room for ${address.stringBytes}`);
  if (raw.includes('\0')) throw new RangeError('the text has a NUL in it');
  text.copy(bytes);
  return address.order === 'ABCD' ? bytes : bytes.swap16();
}
