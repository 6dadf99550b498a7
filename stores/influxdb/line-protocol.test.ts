import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, integerField, quoteText, tag, textField, timeStamp } from './line-protocol.ts';

describe('names in tags', () => {
  it('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aÉ%25C\\\n 😀\u2028,='), maxLength: 12 }), (name) => {
        expect(decodeName(encodeName(name))).toBe(name);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => decodeName(encodeName(name)) === name));
  });

  it('stay readable: only what a tag cannot say is coded', () => {
    const readable = 'Nhiệt độ dầu (°C) 100% a,b=c "d" \'e\'';
    expect(encodeName(readable)).toBe(readable);
    expect(encodeName('C:\\temp\n%41')).toBe('C:%5Ctemp%0A%2541');
    expect(decodeName('100%ZZ %FF')).toBe('100%ZZ %FF');
  });
});

describe('line protocol', () => {
  it('escapes tags, texts and literals', () => {
    expect(tag('metric', 'a b,c=d\\')).toBe(',metric=a\\ b\\,c\\=d%5C');
    expect(tag('metric', '')).toBe('');
    expect(textField('say "a\\b"\nnew')).toBe('"say \\"a\\\\b\\"\nnew"');
    expect(quoteText("it's \\ a\nline")).toBe("'it\\'s \\\\ a\\nline'");
  });

  it('writes integers and time stamps digit by digit', () => {
    expect(integerField(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991i');
    expect(integerField(-3.2)).toBe('-3i');
    expect(integerField(1e21)).toBe('1000000000000000000000i');
    expect(integerField(Number.NaN)).toBe('0i');
    expect(timeStamp(1_767_600_000_000, 42)).toBe('1767600000000000042');
  });
});
