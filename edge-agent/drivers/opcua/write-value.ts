import { DataType } from 'node-opcua-client';
import type { Raw } from './write-problem.ts';

const integerRange: ReadonlyMap<DataType, readonly [low: bigint, high: bigint]> = new Map([
  [DataType.SByte, [-128n, 127n]],
  [DataType.Byte, [0n, 255n]],
  [DataType.Int16, [-32_768n, 32_767n]],
  [DataType.UInt16, [0n, 65_535n]],
  [DataType.Int32, [-(2n ** 31n), 2n ** 31n - 1n]],
  [DataType.UInt32, [0n, 2n ** 32n - 1n]],
  [DataType.Int64, [-(2n ** 63n), 2n ** 63n - 1n]],
  [DataType.UInt64, [0n, 2n ** 64n - 1n]],
]);

/** Undoing a scale leaves the last bits to chance: so close to an integer it is one. */
const integerTolerance = 1e-9;

/** The value as the library wants it in a variant of this type, or why it does not fit. Nothing is cut off or rounded away. */
export function variantValue(raw: Raw, dataType: DataType): { readonly value: unknown } | { readonly problem: string } {
  const typeName = DataType[dataType];
  const wrong = { problem: `${typeof raw} ${String(raw)} does not fit the server's type ${typeName}` };
  if (dataType === DataType.Boolean) {
    if (typeof raw === 'boolean') return { value: raw };
    return raw === 0 || raw === 1 ? { value: raw === 1 } : wrong;
  }
  if (dataType === DataType.String) return typeof raw === 'string' ? { value: raw } : wrong;
  if (dataType === DataType.LocalizedText) return typeof raw === 'string' ? { value: { text: raw } } : wrong;
  if (typeof raw !== 'number' && typeof raw !== 'bigint') return wrong;
  if (typeof raw === 'number' && !Number.isFinite(raw)) return wrong;
  if (dataType === DataType.Double) return Number.isSafeInteger(Number(raw)) || typeof raw === 'number' ? { value: Number(raw) } : wrong;
  if (dataType === DataType.Float) return Number.isFinite(Math.fround(Number(raw))) ? { value: Number(raw) } : wrong;
  if (dataType === DataType.DateTime) return { value: new Date(Number(raw)) };
  const range = integerRange.get(dataType);
  if (range === undefined) return { problem: `values of the server's type ${typeName} cannot be written` };
  const integer = toInteger(raw);
  if (integer === undefined) return { problem: `${String(raw)} is no whole number, the server's type is ${typeName}` };
  if (integer < range[0] || integer > range[1])
    return { problem: `${integer} is outside ${range[0]}…${range[1]} of the server's type ${typeName}` };
  if (dataType !== DataType.Int64 && dataType !== DataType.UInt64) return { value: Number(integer) };
  const bits = BigInt.asUintN(64, integer);
  return { value: [Number(bits >> 32n), Number(bits & 0xffff_ffffn)] };
}

function toInteger(raw: number | bigint): bigint | undefined {
  if (typeof raw === 'bigint') return raw;
  const rounded = Math.round(raw);
  return Math.abs(raw - rounded) <= Math.min(0.001, integerTolerance * Math.max(1, Math.abs(raw))) ? BigInt(rounded) : undefined;
}
