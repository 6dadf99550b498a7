import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFixed,
  bufferOver,
  createFixedTexts,
  createLineBuffer,
  createTimeWriter,
  type LineBuffer,
  numberRoom,
  overrun,
  putFixed,
  putNumber,
  putSixAndEnd,
  withRoom,
} from './line-bytes.ts';

/** What a function wrote; it must leave alone the byte before, and what is behind the overrun. */
function written(write: (to: LineBuffer, at: number) => number, room = numberRoom - overrun): string {
  const to = createLineBuffer(room + overrun + 2);
  to.bytes.fill('#');
  const end = write(to, 1);
  expect(to.bytes[0]).toBe(35);
  expect(end).toBeLessThanOrEqual(room + 1);
  expect(to.bytes.subarray(end + overrun).every((byte) => byte === 35)).toBe(true);
  return to.bytes.toString('utf8', 1, end);
}
const number = (value: number): string => written((to, at) => putNumber(to, at, value));

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

  it('say ticks with six digits and end', () => {
    fc.assert(
      fc.property(fc.nat(999_999), (value) => {
        expect(written((to, at) => putSixAndEnd(to, at, value))).toBe(`${String(value).padStart(6, '0')}\n`);
      }),
    );
  });

  it('say times in any order', () => {
    const times = fc.oneof(fc.nat(3000), fc.integer({ min: 1_790_000_000_000, max: 1_790_000_003_000 }), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(times), (list) => {
        const put = createTimeWriter();
        expect(list.map((ms) => written((to, at) => put(to, at, ms)))).toEqual(list.map((ms) => ` ${ms}`));
      }),
    );
  });

  it('copy any texts, by number', () => {
    const odd = fc.constantFrom('\u007f', '\u0000', '\ud800', '\u{1F600}\u007f');
    const text = fc.string({ unit: fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 1 })) });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 40 }), (list) => {
        const texts = createFixedTexts();
        for (const each of list) addFixed(texts, each);
        for (const [number, each] of list.entries()) {
          const bytes = Buffer.from(each);
          expect(written((to, at) => putFixed(to, at, texts, number), bytes.length)).toBe(bytes.toString());
        }
      }),
    );
  });

  it('keep what was written when the buffer grows', () => {
    const small = bufferOver(Buffer.from('năng lượng'));
    const { length } = small.bytes;
    expect(withRoom(small, 3, length - 3)).toBe(small);
    const { bytes } = withRoom(small, length, 1000);
    expect(bytes.length).toBeGreaterThanOrEqual(length + 1000);
    expect(bytes.toString('utf8', 0, length)).toBe('năng lượng');
  });
});
