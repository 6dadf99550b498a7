import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { createDecoder } from './decode.ts';

function decode(text: string, bytes: readonly number[] | Buffer, offset = 0): unknown {
  const address = parseAddress(text);
  if ('problem' in address) throw new Error(address.problem);
  return createDecoder(address)(Buffer.from(bytes), offset);
}

/** What a device with that byte order sends for a value that is `bytes` in big-endian order. Written from the definition of the orders. */
const senders: Readonly<Record<string, (bytes: readonly number[]) => readonly number[]>> = {
  ABCD: (bytes) => bytes,
  DCBA: (bytes) => [...bytes].reverse(),
  CDAB: (bytes) => words(bytes).reverse().flat(),
  BADC: (bytes) => words(bytes).flatMap((word) => [...word].reverse()),
};

function words(bytes: readonly number[]): number[][] {
  return Array.from({ length: bytes.length / 2 }, (_, i) => [...bytes.slice(i * 2, i * 2 + 2)]);
}

const cases = {
  int16: [2, fc.integer({ min: -32768, max: 32767 }), (view: DataView, value: number) => view.setInt16(0, value)],
  uint16: [2, fc.integer({ min: 0, max: 65535 }), (view: DataView, value: number) => view.setUint16(0, value)],
  int32: [4, fc.integer(), (view: DataView, value: number) => view.setInt32(0, value)],
  uint32: [4, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (view: DataView, value: number) => view.setUint32(0, value)],
  float32: [4, fc.float(), (view: DataView, value: number) => view.setFloat32(0, value)],
  float64: [8, fc.double(), (view: DataView, value: number) => view.setFloat64(0, value)],
} as const;

describe('decoding registers', () => {
  for (const [type, [byteCount, values, write]] of Object.entries(cases)) {
    for (const [order, send] of Object.entries(senders)) {
      it(`${type} ${order} comes back as it was`, () => {
        fc.assert(
          fc.property(values as fc.Arbitrary<number>, fc.nat(6), (value, before) => {
            const view = new DataView(new ArrayBuffer(byteCount));
            write(view, value);
            const sent = send([...new Uint8Array(view.buffer)]);
            expect(decode(`holding:0:${type}:${order}`, [...Array(before).fill(0xee), ...sent], before)).toBe(value);
          }),
          { numRuns: 50 },
        );
      });
    }
  }

  it('keeps 64-bit integers exact: number while it can, bigint beyond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(...Object.keys(senders)), (value, order) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setBigInt64(0, value);
        const sent = senders[order]?.([...new Uint8Array(view.buffer)]) ?? [];
        const signed = decode(`input:0:int64:${order}`, sent);
        const unsigned = decode(`input:0:uint64:${order}`, sent);
        expect(BigInt(signed as number | bigint)).toBe(value);
        expect(BigInt(unsigned as number | bigint)).toBe(BigInt.asUintN(64, value));
        expect(typeof signed).toBe(Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value ? 'number' : 'bigint');
      }),
    );
  });

  it('takes single bits from registers and from packed coils', () => {
    expect(decode('holding:0.0:bool', [0x00, 0x01])).toBe(true);
    expect(decode('holding:0.8:bool', [0x00, 0x01])).toBe(false);
    expect(decode('holding:0.8:bool:BA', [0x00, 0x01])).toBe(true);
    expect(decode('holding:0.15:bool', [0x80, 0x00])).toBe(true);
    // Modbus Application Protocol §6.1: the least significant bit of the first byte is the first coil.
    expect([0, 1, 2, 7, 8, 9].map((offset) => decode('coil:0:bool', [0b1000_0101, 0b10], offset))).toEqual([
      true,
      false,
      true,
      true,
      false,
      true,
    ]);
  });

  it('reads text to its first NUL, without padding, in either byte order and of odd length', () => {
    expect(decode('holding:0:string6', Buffer.from('Dr\0\0\0x'))).toBe('Dr');
    expect(decode('holding:0:string6', Buffer.from('Press '))).toBe('Press');
    expect(decode('holding:0:string6:BA', Buffer.from('rPse s'))).toBe('Press');
    expect(decode('holding:0:string5', Buffer.from('Press!'))).toBe('Press');
    expect(decode('holding:0:string5:BA', Buffer.from('rPse!s'))).toBe('Press');
    expect(decode('holding:0:string8', Buffer.from('Nhịp\0\0'))).toBe('Nhịp');
  });
});
