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
  return write(value, '', 0);
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

function write(value: unknown, pointer: string, depth: number): string {
  if (depth > maxDepth) throw new CanonicalError(pointer, `nested deeper than ${maxDepth}`);
  switch (typeof value) {
    case 'string':
      return writeString(value, pointer);
    case 'number':
      if (Number.isSafeInteger(value)) return String(value);
      throw new CanonicalError(pointer, `${value} is no integer within ±(2^53−1); write decimals as text`);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${Array.from(value, (item, index) => write(item, `${pointer}/${index}`, depth + 1)).join(',')}]`;
      return writeObject(value, pointer, depth);
    default:
      throw new CanonicalError(pointer, `${typeof value} has no JSON form`);
  }
}

function writeString(text: string, pointer: string): string {
  if (loneSurrogate.test(text)) throw new CanonicalError(pointer, 'a lone surrogate is no character');
  // Escapes of JSON.stringify are those of RFC 8785 §3.2.2.2 for text without lone surrogates.
  return JSON.stringify(text.normalize('NFC'));
}

function writeObject(value: object, pointer: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new CanonicalError(pointer, 'only plain objects have a JSON form');
  const members = new Map<string, string>();
  for (const [key, member] of Object.entries(value)) {
    const at = `${pointer}${pointerSegment(key)}`;
    if (loneSurrogate.test(key)) throw new CanonicalError(at, 'a lone surrogate is no character');
    const name = key.normalize('NFC');
    if (members.has(name)) throw new CanonicalError(at, 'the same key twice, once Unicode is normalised (NFC)');
    members.set(name, write(member, at, depth + 1));
  }
  // Order of UTF-16 code units (RFC 8785 §3.2.3), which is how JavaScript compares strings.
  const names = [...members.keys()].sort((a, b) => (a < b ? -1 : 1));
  return `{${names.map((name) => `${JSON.stringify(name)}:${members.get(name)}`).join(',')}}`;
}
