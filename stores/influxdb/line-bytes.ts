/**
 * Parts of lines, written at a place in a buffer; each function returns where its part ends. An encoder that keeps buffer and place in
 * variables of its own and calls these is several times as fast as text that is joined. They write four or eight bytes at once, also when
 * fewer are meant: what stands behind the end that they return, up to `overrun` bytes, is to be written over by the next part.
 */
export interface LineBuffer {
  readonly bytes: Buffer;
  /** Of the same memory. */
  readonly view: DataView;
}

const zero = 48;
const minus = 45;
const space = 32;
const newLine = 10;
const thousand = 1000;
const million = 1_000_000;
/** A size below this, in thousandths, has 31 bits. */
const maxSmall = 2_147_483;
const wordBytes = 8;

export const overrun = 2 * wordBytes;
/** No number, and no time with its tick, is longer; with the overrun. */
export const numberRoom = 48;

/** Text of 0 to 999 as the four bytes of a number, the first byte lowest. */
function textWords(textOf: (value: number) => string): Uint32Array {
  return Uint32Array.from({ length: thousand }, (_, value) => Buffer.from(textOf(value).padEnd(4, '\0')).readUInt32LE());
}
const threeDigits = textWords((value) => String(value).padStart(3, '0'));
const firstDigits = textWords(String);
const firstLength = Uint8Array.from({ length: thousand }, (_, value) => String(value).length);
const pointAndDigits = textWords((value) => `.${String(value).padStart(3, '0')}`);
const digitsAndEnd = textWords((value) => `${String(value).padStart(3, '0')}\n`);

export function createLineBuffer(length: number): LineBuffer {
  return bufferOver(Buffer.allocUnsafeSlow(length));
}

/** What is below a thousand, without zeros before it. */
function putFirst(view: DataView, at: number, value: number): number {
  view.setUint32(at, firstDigits[value] as number, true);
  return at + (firstLength[value] as number);
}

/** The three digits of what is below a thousand. */
function putThree(view: DataView, at: number, value: number): number {
  view.setUint32(at, threeDigits[value] as number, true);
  return at + 3;
}

/** A whole number below a thousand million. */
function putSmall(view: DataView, start: number, value: number): number {
  if (value < thousand) return putFirst(view, start, value);
  const thousands = (value / thousand) | 0;
  const millions = (value / million) | 0;
  let at = start;
  if (millions === 0) at = putFirst(view, at, thousands);
  else at = putThree(view, putFirst(view, at, millions), thousands - millions * thousand);
  return putThree(view, at, value - thousands * thousand);
}

/** A finite number so that reading gives the same one, -0 too. Asks for `numberRoom` bytes. */
export function putNumber({ bytes, view }: LineBuffer, start: number, value: number): number {
  // What is measured is small and has few decimals as a rule. Division rounds right, so a number that it gives back is read back the same.
  const size = Math.abs(value);
  const thousandths = size < maxSmall ? (size * thousand + 0.5) | 0 : 0;
  if (thousandths === 0 || thousandths / thousand !== size) {
    if (value !== 0) return start + bytes.write(String(value), start, 'latin1');
    let end = start;
    if (Object.is(value, -0)) bytes[end++] = minus;
    bytes[end] = zero;
    return end + 1;
  }
  let at = start;
  if (value < 0) bytes[at++] = minus;
  const whole = (thousandths / thousand) | 0;
  at = putSmall(view, at, whole);
  const decimals = thousandths - whole * thousand;
  if (decimals === 0) return at;
  view.setUint32(at, pointAndDigits[decimals] as number, true);
  if (decimals % 10 !== 0) return at + 4;
  return decimals % 100 !== 0 ? at + 3 : at + 2;
}

/** A whole number below a million, with zeros before it to six digits, and a new line. */
export function putSixAndEnd({ view }: LineBuffer, at: number, value: number): number {
  const thousands = (value / thousand) | 0;
  view.setUint32(at, threeDigits[thousands] as number, true);
  view.setUint32(at + 3, digitsAndEnd[value - thousands * thousand] as number, true);
  return at + 7;
}

/**
 * Texts that are written again and again, by number: their bytes eight to a word, one text behind the other, so that a line finds its own
 * without going from object to object. No eight bytes of UTF-8 are a number that is not one (NaN), of which a copy may differ.
 */
export interface FixedTexts {
  count: number;
  words: Float64Array;
  /** First word of each. */
  starts: Int32Array;
  /** Bytes of each. */
  lengths: Int32Array;
}

export function createFixedTexts(): FixedTexts {
  return { count: 0, words: new Float64Array(64), starts: new Int32Array(16), lengths: new Int32Array(16) };
}

export function addFixed(texts: FixedTexts, text: string): void {
  const bytes = Buffer.from(text);
  const { count, starts, lengths } = texts;
  const start = count === 0 ? 0 : (starts[count - 1] as number) + wordsOf(lengths[count - 1] as number);
  const end = start + wordsOf(bytes.length);
  if (count === starts.length) {
    texts.starts = larger(starts, new Int32Array(count * 2));
    texts.lengths = larger(lengths, new Int32Array(count * 2));
  }
  if (end > texts.words.length) texts.words = larger(texts.words, new Float64Array(end * 2));
  new Uint8Array(texts.words.buffer).set(bytes, start * wordBytes);
  texts.starts[count] = start;
  texts.lengths[count] = bytes.length;
  texts.count++;
}

export function putFixed({ view }: LineBuffer, at: number, { words, starts, lengths }: FixedTexts, number: number): number {
  const length = lengths[number] as number;
  let word = starts[number] as number;
  for (let i = 0; i < length; i += wordBytes) view.setFloat64(at + i, words[word++] as number, true);
  return at + length;
}

function wordsOf(length: number): number {
  return Math.ceil(length / wordBytes);
}

function larger<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Writes a space and whole ms from 0 up to 2^53. The seconds of the last time are kept: samples that come together are of about one time. */
export function createTimeWriter(): (to: LineBuffer, at: number, ms: number) => number {
  const words = new Float64Array(2);
  const text = Buffer.from(words.buffer);
  let length = 0;
  let second = -1;
  return ({ bytes, view }, at, ms) => {
    const its = Math.floor(ms / thousand);
    if (its === 0) {
      bytes[at] = space;
      return putFirst(view, at + 1, ms);
    }
    if (its !== second) {
      second = its;
      length = text.write(` ${its}`, 'latin1');
    }
    view.setFloat64(at, words[0] as number, true);
    view.setFloat64(at + wordBytes, words[1] as number, true);
    return putThree(view, at + length, ms - its * thousand);
  };
}

export function putEnd({ bytes }: LineBuffer, at: number): number {
  bytes[at] = newLine;
  return at + 1;
}

/** The same content in a buffer that has at least `room` bytes more behind `length`; the same buffer when it has. */
export function withRoom(buffer: LineBuffer, length: number, room: number): LineBuffer {
  if (length + room <= buffer.bytes.length) return buffer;
  const larger = createLineBuffer(Math.max(buffer.bytes.length * 2, length + room));
  buffer.bytes.copy(larger.bytes, 0, 0, length);
  return larger;
}

/** A line buffer over the memory of `bytes`. */
export function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): LineBuffer {
  return { bytes: Buffer.from(buffer, byteOffset, byteLength), view: new DataView(buffer, byteOffset, byteLength) };
}
