import type { Value } from '@nhip/core/wire/sample';
import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { ModbusType } from './address.ts';
import { calendar, datetime4 } from './calendar.ts';

/** How the types of an address are read from and written to big-endian bytes. */
export interface ValueType {
  readonly dataType: DataTypeName;
  /** `null`: these bytes are no value of the type. */
  read(bytes: Buffer, at: number): Value;
  /** Fills `bytes`, which has the length of the type. Throws RangeError for what the type cannot hold. */
  write(value: number | bigint, bytes: Buffer): void;
}

const two63 = 2n ** 63n;

/** Parts of registers (bits, bytes) are taken out of a `uint16` by the decoder. */
export const valueTypes: Readonly<Record<Exclude<ModbusType, 'string' | 'bool'>, ValueType>> = {
  int8: part('Int8', -128, 127),
  uint8: part('UInt8', 0, 255),
  int16: integer(
    'Int16',
    -32_768,
    32_767,
    (b, at) => b.readInt16BE(at),
    (b, v) => b.writeInt16BE(v),
  ),
  uint16: integer(
    'UInt16',
    0,
    65_535,
    (b, at) => b.readUInt16BE(at),
    (b, v) => b.writeUInt16BE(v),
  ),
  int32: integer(
    'Int32',
    -(2 ** 31),
    2 ** 31 - 1,
    (b, at) => b.readInt32BE(at),
    (b, v) => b.writeInt32BE(v),
  ),
  uint32: integer(
    'UInt32',
    0,
    2 ** 32 - 1,
    (b, at) => b.readUInt32BE(at),
    (b, v) => b.writeUInt32BE(v),
  ),
  int64: {
    dataType: 'Int64',
    read: (b, at) => exact(b.readInt32BE(at), b.readUInt32BE(at + 4)),
    write: (value, b) => b.writeBigInt64BE(bigInteger(value, -two63, two63 - 1n)),
  },
  uint64: {
    dataType: 'UInt64',
    read: (b, at) => exact(b.readUInt32BE(at), b.readUInt32BE(at + 4)),
    write: (value, b) => b.writeBigUInt64BE(bigInteger(value, 0n, 2n * two63 - 1n)),
  },
  float16: {
    dataType: 'Float',
    read: (b, at) => fromFloat16(b.readUInt16BE(at)),
    write: (value, b) => b.writeUInt16BE(toFloat16(Number(value))),
  },
  float32: {
    dataType: 'Float',
    read: (b, at) => b.readFloatBE(at),
    write: (value, b) => {
      if (!Number.isFinite(Math.fround(Number(value)))) throw new RangeError(`${value} is too large for a float32`);
      b.writeFloatBE(Number(value));
    },
  },
  float64: { dataType: 'Double', read: (b, at) => b.readDoubleBE(at), write: (value, b) => void b.writeDoubleBE(Number(value)) },
  bcd16: bcd('UInt16', 2),
  bcd32: bcd('UInt32', 4),
  mod10k2: mod10k('UInt32', 2),
  mod10k3: mod10k('UInt64', 3),
  mod10k4: mod10k('UInt64', 4),
  epoch32: {
    dataType: 'DateTime',
    read: (b, at) => b.readUInt32BE(at) * 1000,
    write: (value, b) => b.writeUInt32BE(whole(Math.floor(Number(value) / 1000), 0, 2 ** 32 - 1)),
  },
  calendar3: calendar(3),
  calendar4: calendar(4),
  datetime4,
};

function integer(
  dataType: DataTypeName,
  least: number,
  most: number,
  read: (bytes: Buffer, at: number) => number,
  write: (bytes: Buffer, value: number) => void,
): ValueType {
  return { dataType, read, write: (value, bytes) => write(bytes, whole(value, least, most)) };
}

function part(dataType: DataTypeName, least: number, most: number): ValueType {
  return integer(
    dataType,
    least,
    most,
    (b, at) => b.readUInt16BE(at),
    (b, value) => b.writeUInt16BE(value & 0xffff),
  );
}

/** Two halves of a 64-bit integer; bigint only when a number cannot hold it. */
function exact(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}

/** `value` when it is a whole number within the limits. */
export function whole(value: number | bigint, least: number, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new RangeError(`${value} is not a whole number from ${least} to ${most}`);
}

function bigInteger(value: number | bigint, least: bigint, most: bigint): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    const integer = BigInt(value);
    if (integer >= least && integer <= most) return integer;
  }
  throw new RangeError(`${value} is not a whole number from ${least} to ${most}`);
}

/** Four bits per decimal digit; a nibble above 9 is no digit. */
function bcd(dataType: DataTypeName, byteCount: number): ValueType {
  const most = 10 ** (byteCount * 2) - 1;
  return {
    dataType,
    read: (bytes, at) => {
      const digits = bytes.toString('hex', at, at + byteCount);
      return /^\d+$/.test(digits) ? Number(digits) : null;
    },
    write: (value, bytes) => void bytes.write(String(whole(value, 0, most)).padStart(byteCount * 2, '0'), 'hex'),
  };
}

/** Registers of four decimal digits each, the most significant first. */
function mod10k(dataType: DataTypeName, wordCount: number): ValueType {
  const most = 10n ** BigInt(wordCount * 4) - 1n;
  return {
    dataType,
    read: (bytes, at) => {
      let value = 0n;
      for (let word = 0; word < wordCount; word++) {
        const digits = bytes.readUInt16BE(at + word * 2);
        if (digits > 9999) return null;
        value = value * 10_000n + BigInt(digits);
      }
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    },
    write: (value, bytes) => {
      let rest = bigInteger(value, 0n, most);
      for (let word = wordCount - 1; word >= 0; word--) {
        bytes.writeUInt16BE(Number(rest % 10_000n), word * 2);
        rest /= 10_000n;
      }
    },
  };
}

/** IEEE 754 binary16. */
function fromFloat16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65_520)) throw new RangeError(`${value} is too large for a float16`);
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // Rounding up may carry into the exponent, which is what the sum then says.
  return sign + (exponent + 14) * 1024 + Math.round((size / 2 ** exponent) * 1024);
}
