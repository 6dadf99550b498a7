/** Bytes of lines, written one after the other: several times as fast as text that is joined and encoded afterwards. */
export interface LineBuffer {
  readonly length: number;
  /** Bytes that are ready. */
  bytes(content: Uint8Array): void;
  /** Any text, as UTF-8. */
  text(content: string): void;
  byte(code: number): void;
  /** A finite number so that reading gives the same one, -0 too. */
  number(value: number): void;
  /** A whole number from 0 to 2^53, with zeros before it to at least `minDigits`. */
  whole(value: number, minDigits?: number): void;
  /** What was written; the buffer must not be used any more. */
  take(): Buffer;
}

const zero = 48;
const minus = 45;
const point = 46;
/** Longer than any number as text. */
const numberRoom = 32;
const thousand = 1000;
/** What is below it has 32 bits. */
const billion = 1_000_000_000;
const billionDigits = 9;
const maxSmallDigits = 10;
/** A number of at most three decimals below this is exact in thousandths. */
const maxThousandths = 2 ** 50;

export function createLineBuffer(capacity: number): LineBuffer {
  let buffer = Buffer.allocUnsafe(capacity);
  let length = 0;

  function need(bytes: number): void {
    if (length + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }

  /** Digits of a 32-bit number, without asking for room. */
  function smallDigits(value: number, minDigits: number): void {
    let count = 1;
    for (let limit = 10; count < maxSmallDigits && value >= limit; limit *= 10) count++;
    if (count < minDigits) count = minDigits;
    let rest = value | 0;
    for (let at = length + count - 1; at >= length; at--) {
      const next = (rest / 10) | 0;
      buffer[at] = zero + rest - next * 10;
      rest = next;
    }
    length += count;
  }

  function digits(value: number, minDigits: number): void {
    const high = Math.floor(value / billion);
    if (high > 0) smallDigits(high, minDigits - billionDigits);
    smallDigits(value - high * billion, high > 0 ? billionDigits : minDigits);
  }

  return {
    get length() {
      return length;
    },
    bytes(content) {
      need(content.length);
      buffer.set(content, length);
      length += content.length;
    },
    text(content) {
      need(content.length * 3);
      length += buffer.write(content, length);
    },
    byte(code) {
      need(1);
      buffer[length++] = code;
    },
    number(value) {
      need(numberRoom);
      // What is measured has few decimals as a rule. Division rounds right, so a number that it gives back is read back the same.
      const thousandths = Math.round(Math.abs(value) * thousand);
      if (!(thousandths < maxThousandths) || thousandths / thousand !== Math.abs(value)) {
        length += buffer.write(String(value), length, 'latin1');
        return;
      }
      if (value < 0 || Object.is(value, -0)) buffer[length++] = minus;
      const whole = Math.floor(thousandths / thousand);
      digits(whole, 1);
      let decimals = thousandths - whole * thousand;
      if (decimals === 0) return;
      buffer[length++] = point;
      let places = 3;
      while (decimals % 10 === 0) {
        decimals /= 10;
        places--;
      }
      digits(decimals, places);
    },
    whole(value, minDigits = 1) {
      need(numberRoom);
      digits(value, minDigits);
    },
    take: () => buffer.subarray(0, length),
  };
}
