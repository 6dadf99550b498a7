import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineBuffer, type LineBuffer } from './line-buffer.ts';

function written(write: (lines: LineBuffer) => void, capacity = 4): string {
  const lines = createLineBuffer(capacity);
  write(lines);
  return lines.take().toString();
}

describe('line buffer', () => {
  it('writes any number so that it is read back the same', () => {
    const decimals = fc.tuple(fc.integer(), fc.integer({ min: 0, max: 6 })).map(([whole, places]) => Number(`${whole}e-${places}`));
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), decimals, fc.maxSafeInteger()), (value) => {
        expect(Number(written((lines) => lines.number(value)))).toBe(value);
      }),
    );
  });

  it('writes usual numbers as people do', () => {
    const values = [0, -0, 1, -1.5, 0.05, -0.001, 100, 20.25, 0.1 + 0.2, 1e21, 2 ** 53, 1e15 + 0.3, 5e-324];
    const texts = values.map((value) => written((lines) => lines.number(value)));
    expect(texts).toEqual(values.map((value) => (Object.is(value, -0) ? '-0' : String(value))));
  });

  it('writes whole numbers with zeros before them', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 16 }), (value, minDigits) => {
        expect(written((lines) => lines.whole(value, minDigits))).toBe(String(value).padStart(minDigits, '0'));
      }),
    );
  });

  it('grows with what is written', () => {
    const text = 'năng lượng 😀'.repeat(100);
    const all = written((lines) => {
      for (let i = 0; i < 50; i++) {
        lines.text(text);
        lines.byte(10);
        lines.bytes(Buffer.from('ab'));
      }
    });
    expect(all).toBe(`${text}\nab`.repeat(50));
  });
});
