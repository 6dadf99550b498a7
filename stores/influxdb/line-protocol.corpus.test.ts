import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, integerField, tag, textField } from './line-protocol.ts';
import { createSampleEncoder } from './sample-lines.ts';
import { type ParsedPoint, type ParsedValue, parseLineProtocol } from './testing/parse-line-protocol.ts';

interface CorpusPoint {
  readonly time: string;
  readonly name: CorpusText;
  readonly tags?: readonly { readonly key: CorpusText; readonly value: CorpusText }[];
  readonly fields?: readonly { readonly key: CorpusText; readonly value: Readonly<Record<string, string | number | boolean>> }[];
}
type CorpusText = string | { readonly binary: string };
interface Corpus {
  readonly decode: Readonly<Record<string, DecodeCase>>;
  readonly encode: Readonly<Record<string, EncodeCase>>;
}
interface DecodeCase {
  readonly input: { readonly text: CorpusText; readonly defaultTime: string; readonly precision: string };
  readonly output: { readonly result?: readonly CorpusPoint[]; readonly error?: string };
}
interface EncodeCase {
  readonly input: { readonly point: CorpusPoint };
  readonly output: { readonly result?: CorpusText; readonly error?: string };
}

const packed = readFileSync(join(import.meta.dirname, 'testing/line-protocol-corpus/corpus.json.gz'));
// Integers of 64 bits as text: JSON.parse would round them.
const corpus = JSON.parse(
  gunzipSync(packed)
    .toString()
    .replace(/"(int|uint|time|defaultTime)":\s*(-?\d+)/g, '"$1":"$2"'),
) as Corpus;

const bytesOf = (text: CorpusText): Buffer => (typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.binary, 'base64'));
const textOf = (text: CorpusText): string => bytesOf(text).toString();

const unitNs: Readonly<Record<string, bigint>> = { '1ns': 1n, '1µs': 1000n, '1ms': 1_000_000n, '1s': 1_000_000_000n };

/** Comparable, with tags in an order. */
function shown({ name, tags, fields }: Pick<ParsedPoint, 'name' | 'tags' | 'fields'>, timeNs: bigint) {
  return { name, tags: new Map([...tags].sort(([a], [b]) => (a < b ? -1 : 1))), fields, time: timeNs };
}

function expected(point: CorpusPoint) {
  const fields = (point.fields ?? []).map(({ key, value }) => [textOf(key), fieldValue(value)] as const);
  const tags = (point.tags ?? []).map(({ key, value }) => [textOf(key), textOf(value)] as const);
  return shown({ name: textOf(point.name), tags, fields }, BigInt(point.time));
}

function fieldValue(value: Readonly<Record<string, unknown>>): ParsedValue {
  const [[kind, content] = ['', '']] = Object.entries(value);
  if (kind === 'float') return { float: Number(content) };
  if (kind === 'int') return { int: BigInt(String(content)) };
  if (kind === 'uint') return { uint: BigInt(String(content)) };
  return kind === 'bool' ? { bool: content === true } : { string: textOf(content as CorpusText) };
}

/** The corpus by the parser: what it reads, or 'error'. */
function parsed({ input }: DecodeCase) {
  try {
    const unit = unitNs[input.precision] ?? 1n;
    const otherwise = (BigInt(input.defaultTime) / unit) * unit;
    return parseLineProtocol(bytesOf(input.text)).map((point) => shown(point, point.time === undefined ? otherwise : point.time * unit));
  } catch {
    return 'error' as const;
  }
}

/** Cases that we read otherwise, on purpose. */
const explained: ReadonlyMap<string, string> = new Map([
  ['16f42a27b1032ab9ffa616e9de6edf2f', 'the corpus says 0 for -0., because Go writes no sign of a zero in JSON'],
  ['579631bbe7f2e5bdbd98a380d381dd0c', 'the same for -0e-4'],
]);

describe('the parser of the tests', () => {
  it('reads the public corpus as its authors do', () => {
    const cases = Object.entries(corpus.decode);
    expect(cases).toHaveLength(6615);
    const different = cases.flatMap(([id, each]) => {
      const want = each.output.result === undefined ? 'error' : each.output.result.map(expected);
      try {
        expect(parsed(each)).toEqual(want);
        return [];
      } catch {
        return [{ id, text: bytesOf(each.input.text).toString('latin1').slice(0, 200), want: each.output.error ?? 'points' }];
      }
    });
    expect(different.filter(({ id }) => !explained.has(id))).toEqual([]);
    expect(different).toHaveLength(explained.size);
  });
});

/** A point of the corpus by the functions that write the product's lines. Names of measurements, tags and fields are constants there. */
function ownLine({ name, tags = [], fields = [], time }: CorpusPoint): string {
  const values = fields.map(({ key, value }) => `${textOf(key)}=${fieldText(fieldValue(value))}`);
  return `${textOf(name)}${tags.map((each) => tag(textOf(each.key), textOf(each.value))).join('')} ${values.join(',')} ${time}`;
}

function fieldText(value: ParsedValue): string {
  if ('float' in value) return String(value.float);
  if ('int' in value) return value.int > 2n ** 53n || value.int < -(2n ** 53n) ? `${value.int}i` : integerField(Number(value.int));
  if ('bool' in value) return value.bool ? 'T' : 'F';
  return 'string' in value ? textField(value.string) : `${value.uint}u`;
}

/** Why our text differs from theirs; undefined: no known reason. */
function reasonFor({ name, tags = [], fields = [] }: CorpusPoint, theirs: string | undefined): string | undefined {
  const keys = [name, ...tags.map(({ key }) => key), ...fields.map(({ key }) => key)].map(textOf);
  if (keys.some((each) => /[, =\\\n]/.test(each))) return 'names of measurements, tags and fields are constants here: none needs an escape';
  if (theirs === undefined) return 'an empty tag value is left out, theirs is an error';
  if (tags.some(({ value }) => tag('k', textOf(value)).includes('%'))) return 'what a tag cannot say goes in percent codes';
  if (fields.some(({ value }) => 'bool' in value)) return 'T and F are shorter than true and false';
  if (fields.some(({ value }) => 'string' in value && /[\n\r\t]/.test(String(value.string)))) return 'new lines in a text stay as they are';
  if (fields.some(({ value }) => 'float' in value && /e[+-]/.test(`${value.float}${theirs}`)))
    return 'JavaScript writes exponents its own way';
  return undefined;
}

describe('the encoder', () => {
  it('writes the public corpus as its authors do, but for differences that have a reason', () => {
    const cases = Object.entries(corpus.encode);
    expect(cases).toHaveLength(115);
    const reasons = new Map<string, number>();
    const unexplained: object[] = [];
    for (const [id, { input, output }] of cases) {
      const theirs = output.result === undefined ? undefined : textOf(output.result);
      const ours = ownLine(input.point);
      if (ours === theirs) continue;
      const reason = reasonFor(input.point, theirs);
      if (reason === undefined) unexplained.push({ id, ours, theirs });
      else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    expect(unexplained).toEqual([]);
    expect(Object.fromEntries(reasons)).toEqual({
      'names of measurements, tags and fields are constants here: none needs an escape': 31,
      'T and F are shorter than true and false': 14,
      'what a tag cannot say goes in percent codes': 5,
      'new lines in a text stay as they are': 1,
      'JavaScript writes exponents its own way': 1,
      'an empty tag value is left out, theirs is an error': 1,
    });
  });

  it('writes points that are read back as they were, differences or not', () => {
    for (const { input } of Object.values(corpus.encode)) {
      const { point } = input;
      if (reasonFor(point, '')?.startsWith('names of') === true) continue;
      const [read] = parseLineProtocol(Buffer.from(ownLine(point)));
      const want = expected(point);
      const decoded = (read?.tags ?? []).map(([key, value]) => [key, decodeName(value)] as const);
      const tags = new Map([...want.tags].filter(([, value]) => value !== ''));
      expect(shown({ name: read?.name ?? '', tags: decoded, fields: read?.fields ?? [] }, read?.time ?? 0n)).toEqual({ ...want, tags });
    }
  });

  it('writes any sample so that the parser reads the same', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    const anyValue = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.string({ unit: 'binary' }),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(text, text, anyValue, fc.nat(9e12), fc.nat(999_999), fc.nat(1023), (machine, metric, value, ms, tick, q) => {
        const series = new SeriesTable();
        const batch = new SampleBatch(series);
        batch.push(series.id(machine, metric), ms, tick, value, q, false);
        const { bytes } = createSampleEncoder().encode(batch, { fromRow: 0, toRow: 1, maxBytes: 1e6 }, new Set());
        const [read] = parseLineProtocol(bytes);
        expect(read?.tags.map(([key, stored]) => [key, decodeName(stored)])).toEqual([
          ['machine', sayable(machine)],
          ['metric', sayable(metric)],
        ]);
        expect(read?.time).toBe(BigInt(ms) * 1_000_000n + BigInt(tick));
        expect(Object.fromEntries(read?.fields ?? [])).toEqual({ ...fieldsOf(value), ...(q === 192 ? {} : { q: { int: BigInt(q) } }) });
      }),
    );
  });
});

/** UTF-8 cannot say lone surrogates. */
const sayable = (text: string): string => Buffer.from(text).toString();

function fieldsOf(value: Value): Readonly<Record<string, ParsedValue>> {
  if (value === null) return { n: { bool: true } };
  if (typeof value === 'boolean') return { v: { float: value ? 1 : 0 }, b: { bool: value } };
  if (typeof value === 'number') return { v: { float: value } };
  return typeof value === 'bigint' ? { i: { string: String(value) } } : { s: { string: sayable(value) } };
}
