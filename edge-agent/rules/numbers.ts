/**
 * Arithmetic of expressions. Integers are exact up to 64 bits, whether they came as number or as bigint; anything with a fraction
 * is a double. `undefined` is "no value": division by zero, overflow, a fraction where only an integer makes sense.
 */
export type Num = number | bigint;
export type MaybeNum = Num | undefined;

const lowest = -(2n ** 63n);
const highest = 2n ** 64n - 1n;

/** Integers beyond 2^53 as bigint, all others as number, so that equal values are equal. */
export function normal(value: Num): MaybeNum {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (value < lowest || value > highest) return undefined;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** The value as bigint when it is an integer that is known exactly. */
export function exactInteger(value: Num): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function combine(a: Num, b: Num, exact: (a: bigint, b: bigint) => bigint, double: (a: number, b: number) => number): MaybeNum {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = double(a, b);
    if (Number.isSafeInteger(result) || !Number.isInteger(result)) return normal(result);
  }
  const [x, y] = [exactInteger(a), exactInteger(b)];
  return normal(x !== undefined && y !== undefined ? exact(x, y) : double(Number(a), Number(b)));
}

export const add = (a: Num, b: Num): MaybeNum =>
  combine(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  );

export const subtract = (a: Num, b: Num): MaybeNum =>
  combine(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
  );

export const multiply = (a: Num, b: Num): MaybeNum =>
  combine(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
  );

export const divide = (a: Num, b: Num): MaybeNum => {
  if (isZero(b)) return undefined;
  const [x, y] = [exactInteger(a), exactInteger(b)];
  return normal(x !== undefined && y !== undefined && x % y === 0n ? x / y : Number(a) / Number(b));
};

/** The remainder has the sign of `a`, as in IEC 61131-3 MOD. */
export const modulo = (a: Num, b: Num): MaybeNum => {
  if (isZero(b)) return undefined;
  return combine(
    a,
    b,
    (x, y) => x % y,
    (x, y) => x % y,
  );
};

/** Negative, 0 or positive; exact between bigint and number. */
export function compare(a: Num, b: Num): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** Bit operations see integers in two's complement without an end: −1 has every bit. */
export function onBits(a: Num, b: Num, work: (a: bigint, b: bigint) => bigint): MaybeNum {
  const [x, y] = [exactInteger(a), exactInteger(b)];
  return x === undefined || y === undefined ? undefined : normal(work(x, y));
}

/** `count` bits (1–64) of an integer from bit `from` (0 = lowest) on. */
export function bitsOf(value: Num, from: Num, count: Num): MaybeNum {
  const x = exactInteger(value);
  if (x === undefined || !isBetween(from, 0, 63) || !isBetween(count, 1, 64)) return undefined;
  return normal(BigInt.asUintN(Number(count), x >> BigInt(from)));
}

export function isBetween(value: Num, low: number, high: number): boolean {
  return exactInteger(value) !== undefined && value >= low && value <= high;
}

function isZero(value: Num): boolean {
  return Number(value) === 0;
}
