import type { Value } from '@nhip/core/wire/sample';

/** A value as JSON can hold it: 64-bit integers become texts. */
export function plainValue(value: Value): number | string | boolean | null {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** For people. Seven digits are what a float32 has; more would be noise. */
export function valueText(value: number | string | boolean | null): string {
  if (value === null) return '–';
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(7))) : String(value);
}
