/**
 * Line protocol as InfluxData's decoder reads it, for tests: what the product writes is read back by something that does not know how
 * it was written. Strict: the first wrong line throws.
 */
export interface ParsedPoint {
  readonly name: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: ParsedValue])[];
  /** ns; undefined when the line has none. */
  readonly time: bigint | undefined;
}

export type ParsedValue =
  | { readonly float: number }
  | { readonly int: bigint }
  | { readonly uint: bigint }
  | { readonly bool: boolean }
  | { readonly string: string };

// One byte is one character here; a text may hold bytes that are no UTF-8.
const printable = String.raw`[^\x00-\x1f\x7f`;
const measurement = new RegExp(String.raw`(?:\\[, ]|${printable}, \\]|\\)*`, 'y');
const key = new RegExp(String.raw`(?:\\[,= ]|${printable},= \\]|\\)*`, 'y');
const text = /(?:\\["\\nrt]|[^"\\]|\\)*/y;
const plain = /[^, \r\n]*/y;
const digits = /[-0-9]*/y;
const spaces = / */y;
const comment = new RegExp(`${printable}]*`, 'y');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escapedInText: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const limit = 2n ** 63n;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const truths: ReadonlyMap<string, boolean> = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);

export function parseLineProtocol(bytes: Uint8Array): readonly ParsedPoint[] {
  const source = Buffer.from(bytes).toString('latin1');
  const points: ParsedPoint[] = [];
  let at = 0;

  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const taken = pattern.exec(source)?.[0] ?? '';
    at += taken.length;
    return taken;
  }

  function fail(what: string): never {
    throw new SyntaxError(`${what} at byte ${at}`);
  }

  function expect(character: string): void {
    if (source[at] !== character) fail(`no ${JSON.stringify(character)}`);
    at++;
  }

  function name(pattern: RegExp, escapes: RegExp): string {
    const taken = take(pattern);
    if (taken === '') fail('an empty name');
    return decode(taken.replace(escapes, '$1'));
  }

  /** The end of a line or of everything. */
  function takeEnd(): boolean {
    if (at >= source.length || (source[at] === '\r' && at + 1 === source.length)) {
      at = source.length;
      return true;
    }
    if (source.startsWith('\r\n', at)) at += 2;
    else if (source[at] === '\n') at++;
    else return false;
    return true;
  }

  function skipEmpty(): void {
    while (at < source.length) {
      take(spaces);
      if (at >= source.length) return;
      if (source[at] === '#') {
        take(comment);
        if (!takeEnd()) fail('a character that no comment may have');
      } else if (!takeEnd()) return;
    }
  }

  function value(): ParsedValue {
    if (source[at] === '"') {
      at++;
      const taken = take(text).replace(/\\(["\\nrt])/g, (_, escaped: string) => escapedInText[escaped] ?? escaped);
      expect('"');
      return { string: decode(taken) };
    }
    const word = take(plain);
    const truth = truths.get(word);
    if (truth !== undefined) return { bool: truth };
    if (/^-?\d+i$/.test(word)) return { int: inRange(BigInt(word.slice(0, -1)), -limit, limit - 1n) };
    if (/^\d+u$/.test(word)) return { uint: inRange(BigInt(word.slice(0, -1)), 0n, 2n * limit - 1n) };
    if (!decimal.test(word) || !Number.isFinite(Number(word))) fail(`${JSON.stringify(word)} is no value`);
    return { float: Number(word) };
  }

  function inRange(number: bigint, lowest: bigint, highest: bigint): bigint {
    return number < lowest || number > highest ? fail('a number out of range') : number;
  }

  function tags(): ParsedPoint['tags'] {
    const found = new Map<string, string>();
    while (source[at] === ',') {
      at++;
      const tagKey = name(key, /\\([,= ])/g);
      expect('=');
      if (found.has(tagKey)) fail(`the tag ${tagKey} twice`);
      found.set(tagKey, name(key, /\\([,= ])/g));
    }
    return [...found];
  }

  function fields(): ParsedPoint['fields'] {
    const found: (readonly [string, ParsedValue])[] = [];
    do {
      if (found.length > 0) at++;
      const fieldKey = name(key, /\\([,= ])/g);
      expect('=');
      found.push([fieldKey, value()]);
    } while (source[at] === ',');
    return found;
  }

  function time(): bigint | undefined {
    const taken = take(digits);
    if (taken === '') return undefined;
    if (!/^-?\d+$/.test(taken)) fail('no time stamp');
    return inRange(BigInt(taken), -limit, limit - 1n);
  }

  for (skipEmpty(); at < source.length; skipEmpty()) {
    const point = { name: name(measurement, /\\([, ])/g), tags: tags() };
    expect(' ');
    take(spaces);
    const own = fields();
    const mark = at;
    take(spaces);
    const stamp = at > mark ? time() : undefined;
    take(spaces);
    if (!takeEnd()) fail('more than a point');
    points.push({ ...point, fields: own, time: stamp });
  }
  return points;
}

function decode(latin1: string): string {
  return utf8.decode(Buffer.from(latin1, 'latin1'));
}
