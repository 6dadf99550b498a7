import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CanonicalError, canonicalJson, isCanonical } from './canonical.ts';
import { digestOf } from './digest.ts';
import { parseStrictJson } from './strict-json.ts';

describe('RFC 8785', () => {
  it('orders keys by UTF-16 code units, not by code points', () => {
    // §3.2.3: U+1F600 is D83D DE00 and so comes before U+FB33.
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    // U+FB33 has a canonical decomposition that NFC keeps decomposed: U+05D3 U+05BC.
    expect(Object.keys(JSON.parse(text))).toEqual(['1', '\r', '\u0080', '\u00f6', '\u05d3\u05bc', '\u20ac', '\u{1f600}']);
    expect(canonicalJson({ '\ue000': 1, '\u{1f600}': 2 })).toBe('{"\u{1f600}":2,"\ue000":1}');
  });

  it('escapes as ECMAScript does', () => {
    // §3.2.2.2: the seven short escapes, \u00xx in lower case for other controls, everything else as it is.
    expect(canonicalJson('€$\u000f\nA\'B"\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\"/"');
    expect(canonicalJson('\b\t\n\f\r\u001f\u007f\u2028')).toBe('"\\b\\t\\n\\f\\r\\u001f\u007f\u2028"');
  });

  it('writes literals and whole numbers without a space', () => {
    expect(canonicalJson({ b: [null, true, false], a: -1, c: {}, d: [] })).toBe('{"a":-1,"b":[null,true,false],"c":{},"d":[]}');
    expect(canonicalJson([-0, Number.MAX_SAFE_INTEGER])).toBe('[0,9007199254740991]');
  });
});

it.each([
  ['a float', { a: [0.5] }, '/a/0'],
  ['a number beyond 2^53', { a: 2 ** 53 }, '/a'],
  ['NaN', [Number.NaN], '/0'],
  ['infinity', { x: Number.POSITIVE_INFINITY }, '/x'],
  ['a lone surrogate', { a: '\ud83d' }, '/a'],
  ['a lone surrogate in a key', { '\ude00': 1 }, '/\ude00'],
  ['undefined', { a: undefined }, '/a'],
  ['a date', { 'a/b': new Date(0) }, '/a~1b'],
  ['a bigint', [1n], '/0'],
  ['a hole', [new Array(1)], '/0/0'],
])('refuses %s and says where', (_, value, pointer) => {
  expect(() => canonicalJson(value)).toThrow(CanonicalError);
  expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ pointer }));
});

it('refuses what nests without end', () => {
  let deep: unknown = 0;
  for (let level = 0; level < 10_000; level += 1) deep = [deep];
  expect(() => canonicalJson(deep)).toThrow(/deeper than 64/);
});

it('gives one digest for NFC and NFD spellings of a word, and refuses keys that are then the same', () => {
  const word = 'Đường số 3, Quận Bình Thạnh: sản lượng';
  expect(word.normalize('NFD')).not.toBe(word.normalize('NFC'));
  expect(digestOf({ [word.normalize('NFD')]: word.normalize('NFD') })).toBe(digestOf({ [word.normalize('NFC')]: word.normalize('NFC') }));
  expect(() => canonicalJson({ [word.normalize('NFD')]: 1, [word.normalize('NFC')]: 2 })).toThrow(/same key twice/);
});

it('hashes as everybody else does', () => {
  // printf '{"a":1}' | sha256sum
  expect(digestOf({ a: 1 })).toBe('sha-256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862');
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
})).value;

it('is the same again after parsing, whatever the order of keys', () => {
  fc.assert(
    fc.property(json, (value) => {
      let text: string;
      try {
        text = canonicalJson(value);
      } catch (error) {
        // Two keys of a random object may be equal after NFC.
        expect(error).toBeInstanceOf(CanonicalError);
        return;
      }
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(canonicalJson(reversed(JSON.parse(text)))).toBe(text);
      expect(isCanonical(text)).toBe(true);
      expect(isCanonical(`${text} `)).toBe(false);
    }),
  );
});

it('sees a key that is there twice, which a parser hides', () => {
  expect(() => parseStrictJson('{"a":{"k":1,"b":[{"k":1}],"k":2}}')).toThrow(/"k" is there twice/);
  expect(() => parseStrictJson('{"\\u0061":1,"a":2}')).toThrow(/twice/);
  expect(parseStrictJson('{"a":"b\\":{","b":{"a":["a","a"]},"c":{"a":1}}')).toEqual({ a: 'b":{', b: { a: ['a', 'a'] }, c: { a: 1 } });
  expect(isCanonical('{"a":1,"a":1}')).toBe(false);
});

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
