import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeWriter, numberRoom, putNumber, putSix, withRoom } from './line-bytes.ts';

/** What a function wrote between two bytes that it must leave alone. */
function written(write: (bytes: Buffer, at: number) => number): string {
  const bytes = Buffer.alloc(numberRoom + 2, '#');
  const end = write(bytes, 1);
  expect(bytes[0]).toBe(35);
  expect(end).toBeLessThanOrEqual(numberRoom + 1);
  return bytes.toString('latin1', 1, end);
}
const number = (value: number): string => written((bytes, at) => putNumber(bytes, at, value));

describe('bytes of lines', () => {
  it('say any number so that it is read back the same', () => {
    const decimals = fc.tuple(fc.integer(), fc.integer({ min: 0, max: 6 })).map(([whole, places]) => Number(`${whole}e-${places}`));
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), decimals, fc.maxSafeInteger()), (value) => {
        expect(Number(number(value))).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('say usual numbers as people do', () => {
    const values = [0, -0, 1, -1.5, 0.05, -0.001, 100, 20.25, 0.1 + 0.2, 1e21, 2 ** 53, 1e15 + 0.3, 5e-324, 0.0001, 999_999.999];
    const edges = [999, 1000, 1001, 999_999, 1_000_000, 1_000_001.5, 2_147_482.999, 2_147_483, 2_147_483.5, 2_147_484, 1.1e9];
    for (const value of [...values, ...edges, ...edges.map((edge) => -edge)])
      expect(number(value)).toBe(Object.is(value, -0) ? '-0' : String(value));
  });

  it('say what has up to three decimals in the shortest way', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_200_000_000, max: 2_200_000_000 }), (thousandths) => {
        const value = thousandths / 1000;
        expect(number(value)).toBe(Object.is(value, -0) ? '-0' : String(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('say ticks with six digits', () => {
    fc.assert(
      fc.property(fc.nat(999_999), (value) => {
        expect(written((bytes, at) => putSix(bytes, at, value))).toBe(String(value).padStart(6, '0'));
      }),
    );
  });

  it('say times in any order', () => {
    const times = fc.oneof(fc.nat(3000), fc.integer({ min: 1_790_000_000_000, max: 1_790_000_003_000 }), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(times), (list) => {
        const put = createTimeWriter();
        expect(list.map((ms) => written((bytes, at) => put(bytes, at, ms)))).toEqual(list.map(String));
      }),
    );
  });

  it('keep what was written when the buffer grows', () => {
    const small = Buffer.from('năng lượng');
    expect(withRoom(small, 3, small.length - 3)).toBe(small);
    const large = withRoom(small, small.length, 1000);
    expect(large.length).toBeGreaterThanOrEqual(small.length + 1000);
    expect(large.toString('utf8', 0, small.length)).toBe('năng lượng');
  });
});
