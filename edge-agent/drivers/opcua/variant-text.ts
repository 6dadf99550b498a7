import { DataType, StatusCode, type Variant, VariantArrayType } from 'node-opcua-client';
import { plainValue } from './plain-value.ts';

/** A value as a person reads it: numbers in full, also beyond 2^53; texts without their language; arrays in brackets. Null for none. */
export function variantText({ value, dataType, arrayType }: Variant): string | null {
  if (value === null || value === undefined || dataType === DataType.Null) return null;
  if (arrayType === VariantArrayType.Scalar) return elementText(value, dataType);
  return `[${Array.from(value as ArrayLike<unknown>, (element) => elementText(element, dataType)).join(', ')}]`;
}

function elementText(value: unknown, dataType: DataType): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof StatusCode) return value.name;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  const plain = plainValue(value, dataType);
  return plain === undefined ? JSON.stringify(value) : String(plain ?? '–');
}
