import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { Maybe, Scalar } from './functions.ts';
import { exactInteger, type Num } from './numbers.ts';

const limits: ReadonlyMap<DataTypeName, readonly [Num, Num]> = new Map<DataTypeName, readonly [Num, Num]>([
  ['Int8', [-128, 127]],
  ['Int16', [-32_768, 32_767]],
  ['Int32', [-2_147_483_648, 2_147_483_647]],
  ['Int64', [-(2n ** 63n), 2n ** 63n - 1n]],
  ['UInt8', [0, 255]],
  ['UInt16', [0, 65_535]],
  ['UInt32', [0, 4_294_967_295]],
  ['UInt64', [0, 2n ** 64n - 1n]],
  ['DateTime', [0, 8.64e15]],
]);

/** The result of an expression as its type can hold it; undefined when it cannot: 1.5 is no Int32, and 300 is no UInt8. */
export function fitTo(type: DataTypeName, value: Maybe): Scalar | undefined {
  if (value === undefined) return undefined;
  if (type === 'Boolean') return typeof value === 'boolean' ? value : undefined;
  if (type === 'String') return typeof value === 'string' ? value : undefined;
  if (typeof value === 'boolean' || typeof value === 'string') return undefined;
  if (type === 'Double') return Number(value);
  if (type === 'Float') return Number.isFinite(Math.fround(Number(value))) ? Number(value) : undefined;
  const range = limits.get(type);
  const isInside = range !== undefined && exactInteger(value) !== undefined && value >= range[0] && value <= range[1];
  return isInside ? value : undefined;
}
