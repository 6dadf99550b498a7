import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { byteOrders } from './byte-order.ts';
import { createDecoder } from './decode.ts';
import { encode } from './encode.ts';

function decode(text: string, bytes: readonly number[] | Buffer): Value {
  return createDecoder(addressOf(text))(Buffer.from(bytes), 0);
}

function addressOf(text: string) {
  const address = parseAddress(text);
  if ('problem' in address) throw new Error(address.problem);
  return address;
}

/** Encodes into registers that held `before`, and decodes again. */
function thereAndBack(text: string, value: NonNullable<Value>, before: number): Value {
  const address = addressOf(text);
  const encoded = encode(address, value);
  const decoder = createDecoder(address);
  if (encoded.kind === 'coil') return decoder(Buffer.from([encoded.isOn ? 1 : 0]), 0);
  if (encoded.kind === 'registers') return decoder(encoded.bytes, 0);
  const register = Buffer.alloc(2);
  register.writeUInt16BE((before & ~encoded.mask) | encoded.value);
  return decoder(register, 0);
}

const int = (min: number, max: number): fc.Arbitrary<Value> => fc.integer({ min, max });
const big = (min: bigint, max: bigint): fc.Arbitrary<Value> =>
  fc.bigInt({ min, max }).map((value) => (value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? Number(value) : value));
const half = fc.record({ sign: fc.constantFrom(1, -1), fraction: fc.nat(1023), exponent: fc.integer({ min: -15, max: 15 }) });
const valuesOf: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  'holding:0.hi:int8': int(-128, 127),
  'holding:0.lo:uint8': int(0, 255),
  'holding:0.4-7:uint16': int(0, 15),
  'holding:0.3-9:int16': int(-64, 63),
  'holding:0.15:bool': fc.boolean(),
  'coil:0:bool': fc.boolean(),
  'holding:0:int16': int(-32768, 32767),
  'holding:0:uint16': int(0, 65535),
  'holding:0:int32': int(-(2 ** 31), 2 ** 31 - 1),
  'holding:0:uint32': int(0, 2 ** 32 - 1),
  'holding:0:int64': big(-(2n ** 63n), 2n ** 63n - 1n),
  'holding:0:uint64': big(0n, 2n ** 64n - 1n),
  'holding:0:float16': half.map(({ sign, fraction, exponent }) =>
    exponent === -15 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** exponent,
  ),
  'holding:0:float32': fc.float({ noNaN: true, noDefaultInfinity: true }),
  'holding:0:float64': fc.double({ noNaN: true, noDefaultInfinity: true }),
  'holding:0:bcd16': int(0, 9999),
  'holding:0:bcd32': int(0, 99_999_999),
  'holding:0:mod10k2': int(0, 99_999_999),
  'holding:0:mod10k4': big(0n, 10n ** 16n - 1n),
  'holding:0:epoch32': int(0, 2 ** 32 - 1).map((seconds) => Number(seconds) * 1000),
  'holding:0:calendar3': int(0, Date.UTC(2099, 11, 31) / 1000).map((seconds) => Number(seconds) * 1000),
  'holding:0:calendar4': fc.integer({ min: 0, max: Date.UTC(2099, 11, 31) }),
  'holding:0:datetime4': fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2127, 11, 31) }),
  'holding:0:string7': fc.stringMatching(/^[!-~]{0,7}$/),
};

describe('writing and reading a value', () => {
  for (const [text, values] of Object.entries(valuesOf)) {
    it(`${text} comes back as it was, in every byte order`, () => {
      const orders = ['', ...byteOrders.map((order) => `:${order}`)].filter((order) => !('problem' in parseAddress(text + order)));
      fc.assert(
        fc.property(values, fc.constantFrom(...orders), fc.nat(65535), (value, order, before) => {
          expect(thereAndBack(text + order, value ?? 0, before)).toEqual(value);
        }),
        { numRuns: 100 },
      );
    });
  }

  it('changes only the bits that are meant', () => {
    expect(encode(addressOf('holding:0.4-7:uint16'), 5)).toEqual({ kind: 'bits', mask: 0x00f0, value: 0x0050 });
    expect(encode(addressOf('holding:0.4-7:uint16:BA'), 5)).toEqual({ kind: 'bits', mask: 0xf000, value: 0x5000 });
    expect(encode(addressOf('holding:0.hi:uint8'), 0xab)).toEqual({ kind: 'bits', mask: 0xff00, value: 0xab00 });
  });

  it.each([
    ['holding:0:uint16', -1],
    ['holding:0:uint16', 65_536],
    ['holding:0:int16', 1.5],
    ['holding:0:uint32', '7'],
    ['holding:0.0-3:uint16', 16],
    ['holding:0.lo:int8', 128],
    ['holding:0:bcd16', 10_000],
    ['holding:0:mod10k2', 100_000_000],
    ['holding:0:float32', 1e39],
    ['holding:0:float16', 65_520],
    ['holding:0:float64', Number.NaN],
    ['holding:0:int64', 2n ** 63n],
    ['holding:0:string4', 'Press'],
    ['holding:0:string4', 'a\0b'],
    ['holding:0:string4', 4],
    ['coil:0:bool', 1],
    ['holding:0:datetime4', Date.UTC(1999, 0, 1)],
  ])('%s refuses %s', (text, value) => {
    expect(() => encode(addressOf(text), value)).toThrow(RangeError);
  });
});

describe('the six byte orders of four registers', () => {
  it.each([
    ['ABCDEFGH', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['BADCFEHG', [2, 1, 4, 3, 6, 5, 8, 7]],
    ['HGFEDCBA', [8, 7, 6, 5, 4, 3, 2, 1]],
    ['GHEFCDAB', [7, 8, 5, 6, 3, 4, 1, 2]],
    ['CDABGHEF', [3, 4, 1, 2, 7, 8, 5, 6]],
    ['EFGHABCD', [5, 6, 7, 8, 1, 2, 3, 4]],
  ])('%s', (order, sent) => {
    expect(decode(`input:0:uint64:${order}`, sent)).toBe(0x0102030405060708n);
  });

  it('a device-wide order holds where it means something, and the tag has the last word', () => {
    expect(parseAddress('input:0:uint32', 'CDABGHEF')).toMatchObject({ order: 'CDAB' });
    expect(parseAddress('input:0:uint32', 'EFGHABCD')).toMatchObject({ order: 'ABCD' });
    expect(parseAddress('input:0:uint64', 'EFGHABCD')).toMatchObject({ order: 'EFGHABCD' });
    expect(parseAddress('input:0:uint16', 'DCBA')).toMatchObject({ order: 'BADC' });
    expect(parseAddress('input:0:uint32:ABCD', 'CDAB')).toMatchObject({ order: 'ABCD' });
    expect(parseAddress('coil:0:bool', 'CDAB')).toMatchObject({ order: 'ABCD' });
  });
});

describe('types of meters', () => {
  it('reads binary coded decimals and refuses what is no digit', () => {
    expect(decode('holding:0:bcd16', [0x12, 0x34])).toBe(1234);
    expect(decode('holding:0:bcd32', [0x12, 0x34, 0x56, 0x78])).toBe(12_345_678);
    expect(decode('holding:0:bcd32:CDAB', [0x56, 0x78, 0x12, 0x34])).toBe(12_345_678);
    expect(decode('holding:0:bcd16', [0x12, 0x3a])).toBeNull();
  });

  it('reads registers of 0 to 9999, in either order, and refuses larger ones', () => {
    expect(decode('holding:0:mod10k2', [0, 12, 0, 34])).toBe(120_034);
    expect(decode('holding:0:mod10k3:CDAB', [0, 34, 0, 12, 0, 1])).toBe(100_120_034);
    expect(decode('holding:0:mod10k4', [0x27, 0x0f, 0x27, 0x0f, 0x27, 0x0f, 0x27, 0x0f])).toBe(9_999_999_999_999_999n);
    expect(decode('holding:0:mod10k2', [0x27, 0x10, 0, 0])).toBeNull();
  });

  it('reads half floats', () => {
    expect(decode('input:0:float16', [0x3c, 0x00])).toBe(1);
    expect(decode('input:0:float16', [0xc0, 0x00])).toBe(-2);
    expect(decode('input:0:float16', [0x7b, 0xff])).toBe(65_504);
    expect(decode('input:0:float16', [0x00, 0x01])).toBe(2 ** -24);
    expect(decode('input:0:float16', [0x7e, 0x00])).toBeNaN();
  });

  it('reads the calendars of meters, and refuses what no calendar has', () => {
    // The example of the register list of the PowerLogic circuit monitor: 01/25/00 11:06:59.122.
    expect(decode('holding:0:calendar4', Buffer.from('0119640b063b007a', 'hex'))).toBe(Date.UTC(2000, 0, 25, 11, 6, 59, 122));
    expect(decode('holding:0:calendar3', Buffer.from('c119640b063b', 'hex'))).toBe(Date.UTC(2000, 0, 25, 11, 6, 59));
    expect(decode('holding:0:datetime4', [0, 26, 11, 22, 0, 47, 0x75, 0x30])).toBe(Date.UTC(2026, 10, 22, 0, 47, 30));
    expect(decode('holding:0:datetime4', [0, 26, 11, 22, 0, 47 | 0x80, 0x75, 0x30])).toBeNull();
    expect(decode('holding:0:datetime4', [0, 26, 2, 30, 0, 0, 0, 0])).toBeNull();
    expect(decode('holding:0:calendar3', [0, 0, 0, 0, 0, 0])).toBeNull();
  });

  it('takes a clock before 1970 for one that was never set: a DateTime has no sign', () => {
    expect(decode('holding:0:calendar3', [1, 1, 0, 0, 0, 0])).toBeNull();
    expect(decode('holding:0:calendar4', [12, 31, 69, 23, 59, 59, 0x03, 0xe7])).toBeNull();
    expect(decode('holding:0:calendar4', [1, 1, 70, 0, 0, 0, 0, 0])).toBe(0);
    expect(() => thereAndBack('holding:0:calendar3', -1000, 0)).toThrow('1970');
  });

  it('reads seconds since 1970', () => {
    expect(decode('holding:0:epoch32', [0x5f, 0x5e, 0x10, 0x00])).toBe(0x5f5e1000 * 1000);
  });
});
