/**
 * One text for one value: strings and keys in Unicode NFC, then the JSON Canonicalization Scheme (RFC 8785).
 *
 * Invariants: the same value gives the same bytes in every program and on every machine; NFC and NFD spellings of a Vietnamese word are
 * the same value. Numbers are integers within ±(2^53−1): RFC 8785 §3.2.2.3 asks for the shortest float, which is where implementations
 * differ, so floats are refused and decimals are text. What has no JSON form (undefined, dates, class instances) is refused, not dropped.
 */

const maxDepth = 64;
/** With the flag `u` a pair is one character of another class. */
const loneSurrogate = /\p{Surrogate}/u;

/** A value that has no canonical form; `pointer` (RFC 6901) says where. */
export class CanonicalError extends Error {
  readonly pointer: string;
  constructor(pointer: string, problem: string) {
    super(`${pointer === '' ? 'the value' : pointer}: ${problem}`);
    this.name = 'CanonicalError';
    this.pointer = pointer;
  }
}

/** The canonical JSON text of a value. Throws CanonicalError for floats, lone surrogates, keys that are equal after NFC, and what is no JSON. */
export function canonicalJson(value: unknown): string {
  try {
    return write(value, 0);
  } catch (error) {
    throw error instanceof Trouble ? new CanonicalError(error.pointer, error.problem) : error;
  }
}

/** Whether a text is exactly the canonical form of what it says: no space, no duplicate key, no other order. */
export function isCanonical(text: string): boolean {
  try {
    return canonicalJson(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/** One segment of a JSON Pointer, escaped (RFC 6901 §3). */
export function pointerSegment(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** On its way out: who passes it on says where it was. So nothing has to be said where nothing is wrong. */
class Trouble {
  readonly problem: string;
  pointer = '';
  constructor(problem: string) {
    this.problem = problem;
  }
}

/** What needs no escape and has one spelling only: most of the text of a report. */
const simple = /^[ !#-[\]-~]*$/;

function write(value: unknown, depth: number): string {
  if (depth > maxDepth) throw new Trouble(`nested deeper than ${maxDepth}`);
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      if (Number.isSafeInteger(value)) return String(value);
      throw new Trouble(`${value} is no integer within ±(2^53−1); write decimals as text`);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new Trouble(`${typeof value} has no JSON form`);
  }
}

function writeMember(value: unknown, key: string | number, depth: number): string {
  try {
    return write(value, depth + 1);
  } catch (error) {
    throw at(error, key);
  }
}

function at(error: unknown, key: string | number): unknown {
  if (error instanceof Trouble) error.pointer = `${pointerSegment(String(key))}${error.pointer}`;
  return error;
}

function writeString(text: string): string {
  if (simple.test(text)) return `"${text}"`;
  if (loneSurrogate.test(text)) throw new Trouble('a lone surrogate is no character');
  // Escapes of JSON.stringify are those of RFC 8785 §3.2.2.2 for text without lone surrogates.
  return JSON.stringify(text.normalize('NFC'));
}

function writeArray(value: readonly unknown[], depth: number): string {
  // Also what a sparse array lacks.
  return `[${Array.from(value, (item, index) => writeMember(item, index, depth)).join(',')}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new Trouble('only plain objects have a JSON form');
  const members = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(members);
  // Order of UTF-16 code units (RFC 8785 §3.2.3), which is how JavaScript compares strings.
  if (keys.every((key) => simple.test(key))) {
    return `{${keys
      .sort()
      .map((key) => `"${key}":${writeMember(members[key], key, depth)}`)
      .join(',')}}`;
  }
  const written = new Map<string, string>();
  for (const key of keys) {
    if (loneSurrogate.test(key)) throw at(new Trouble('a lone surrogate is no character'), key);
    const name = key.normalize('NFC');
    if (written.has(name)) throw at(new Trouble('the same key twice, once Unicode is normalised (NFC)'), key);
    written.set(name, writeMember(members[key], key, depth));
  }
  return `{${[...written.keys()]
    .sort()
    .map((name) => `${JSON.stringify(name)}:${written.get(name)}`)
    .join(',')}}`;
}
