/**
 * Parts of lines, written as bytes at a place; each function returns where it ended. An encoder that keeps buffer and place in variables of
 * its own and calls these is several times as fast as text that is joined, and as an object with methods.
 */

const zero = 48;
const minus = 45;
const point = 46;
const thousand = 1000;
const million = 1_000_000;
/** A size below this, in thousandths, has 31 bits. */
const maxSmall = 2_147_483;

/** No number, and no time with its tick, is longer. */
export const numberRoom = 32;

/** The digits of 0 to 999, three bytes each. */
const threeDigits = Buffer.from(Array.from({ length: thousand }, (_, value) => String(value).padStart(3, '0')).join(''));

/** The three digits of what is below a thousand. */
function putThree(bytes: Uint8Array, at: number, value: number): number {
  const from = value * 3;
  bytes[at] = threeDigits[from] as number;
  bytes[at + 1] = threeDigits[from + 1] as number;
  bytes[at + 2] = threeDigits[from + 2] as number;
  return at + 3;
}

/** What is below a thousand, without zeros before it. */
function putFirst(bytes: Uint8Array, start: number, value: number): number {
  const from = value * 3;
  let at = start;
  if (value >= 100) bytes[at++] = threeDigits[from] as number;
  if (value >= 10) bytes[at++] = threeDigits[from + 1] as number;
  bytes[at] = threeDigits[from + 2] as number;
  return at + 1;
}

/** A whole number below a thousand million. */
function putSmall(bytes: Uint8Array, start: number, value: number): number {
  if (value < thousand) return putFirst(bytes, start, value);
  const thousands = (value / thousand) | 0;
  const millions = (value / million) | 0;
  let at = start;
  if (millions === 0) at = putFirst(bytes, at, thousands);
  else at = putThree(bytes, putFirst(bytes, at, millions), thousands - millions * thousand);
  return putThree(bytes, at, value - thousands * thousand);
}

/** A finite number so that reading gives the same one, -0 too. Asks for `numberRoom` bytes. */
export function putNumber(bytes: Buffer, start: number, value: number): number {
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
  at = putSmall(bytes, at, whole);
  const decimals = thousandths - whole * thousand;
  if (decimals === 0) return at;
  bytes[at] = point;
  const end = putThree(bytes, at + 1, decimals);
  if (decimals % 10 !== 0) return end;
  return decimals % 100 !== 0 ? end - 1 : end - 2;
}

/** A whole number below a million, with zeros before it to six digits. */
export function putSix(bytes: Uint8Array, at: number, value: number): number {
  const thousands = (value / thousand) | 0;
  return putThree(bytes, putThree(bytes, at, thousands), value - thousands * thousand);
}

/** Writes whole ms from 0 up to 2^53. The seconds of the last time are kept as text: samples that come together are of about one time. */
export function createTimeWriter(): (bytes: Buffer, at: number, ms: number) => number {
  const text = Buffer.alloc(numberRoom);
  let length = 0;
  let second = 0;
  return (bytes, at, ms) => {
    const its = Math.floor(ms / thousand);
    if (its === 0) return putFirst(bytes, at, ms);
    if (its !== second) {
      second = its;
      length = text.write(String(its), 0, 'latin1');
    }
    for (let i = 0; i < length; i++) bytes[at + i] = text[i] as number;
    return putThree(bytes, at + length, ms - its * thousand);
  };
}

/** The same content in a buffer that has at least `room` bytes more behind `length`; the same buffer when it has. */
export function withRoom(buffer: Buffer, length: number, room: number): Buffer {
  if (length + room <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + room));
  buffer.copy(larger, 0, 0, length);
  return larger;
}
