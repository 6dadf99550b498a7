/**
 * Exact sums over decimal text. A decimal is held as a whole number of millionths (bigint): the contract allows six digits after the point,
 * so nothing is ever rounded by accident.
 */

const scale = 1_000_000n;

/** Millionths of a decimal text or an integer. The text must have the form of the contract's `decimal` or `ratio`. */
export function millionths(value: string | number): bigint {
  if (typeof value === 'number') return BigInt(value) * scale;
  const [whole = '0', fraction = ''] = value.split('.');
  return BigInt(whole) * scale + BigInt(fraction.padEnd(6, '0'));
}

/** The shortest decimal text of a number of millionths, not negative. */
export function decimalText(value: bigint): string {
  const fraction = (value % scale).toString().padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? (value / scale).toString() : `${value / scale}.${fraction}`;
}

/** Half of the last place that is kept when a value is written with this many significant digits: how far the true value may be away. */
export function roundingSlack(value: bigint, digits: number): bigint {
  return value === 0n ? 0n : placeOf(value, digits) / 2n;
}

/** Rounded to significant digits, halves up. */
export function roundToDigits(value: bigint, digits: number): bigint {
  const place = placeOf(value, digits);
  return ((value + place / 2n) / place) * place;
}

/** The lower end of the bucket that a value falls into. */
export function bucketOf(value: bigint, width: bigint): bigint {
  return value - (value % width);
}

/** The value of the last place kept, at least a millionth. */
function placeOf(value: bigint, digits: number): bigint {
  return 10n ** BigInt(Math.max(0, value.toString().length - digits));
}
