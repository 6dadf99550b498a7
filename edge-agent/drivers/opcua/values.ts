import { type Quality, quality, type Value } from '@nhip/core/wire/sample';
import { DataType, type DataValue, StatusCodes, type Variant, VariantArrayType } from 'node-opcua-client';
import { createConverter } from '../conversion.ts';
import type { OpcuaTagConfig } from './config.ts';
import { createPicker } from './parts.ts';
import { plainValue, type ValueProblem } from './plain-value.ts';

export interface TagValue {
  readonly value: Value;
  readonly quality: Quality;
  readonly problem?: ValueProblem | undefined;
}

/** Makes the conversion from a server's data value to what the tag, or one element of it, reports. */
export function createValueReader(tag: OpcuaTagConfig, element: number | undefined = tag.element): (dataValue: DataValue) => TagValue {
  const convert = createConverter(tag);
  const fits = createTypeCheck(tag.dataType);
  const pick = createPicker(element, tag.field);
  return (dataValue) => {
    const status = qualityOf(dataValue);
    if (tag.notActive !== undefined && dataValue.statusCode.equals(StatusCodes.BadStateNotActive)) {
      return { value: tag.notActive, quality: quality.good };
    }
    if (status === quality.bad) return { value: null, quality: quality.bad };
    const raw = pick === undefined ? scalarOf(dataValue.value) : pick(dataValue.value);
    if (typeof raw === 'object' && raw !== null) return { value: null, quality: quality.bad, problem: raw.problem };
    if (raw === undefined) return { value: null, quality: quality.bad, problem: 'wrongType' };
    if (raw === null) return { value: null, quality: status };
    const converted = convert(raw);
    if (converted.problem !== undefined) return converted;
    const problem = fits(converted.value);
    return problem === undefined ? { value: converted.value, quality: status } : { value: null, quality: quality.bad, problem };
  };
}

/** The source's time if it has one, else the server's, else `nowMs`. Times before 1970 mean "none" (OPC UA counts from 1601). */
export function timestampOf(dataValue: DataValue, nowMs: number): number {
  for (const time of [dataValue.sourceTimestamp, dataValue.serverTimestamp]) {
    const ms = time?.getTime();
    if (ms !== undefined && ms > 0) return ms;
  }
  return nowMs;
}

/** Uncertain values are kept: the server says that they are the last usable ones. */
function qualityOf(dataValue: DataValue): Quality {
  const { statusCode } = dataValue;
  if (statusCode.isGoodish()) return quality.good;
  return (statusCode.value & 0xc000_0000) >>> 0 === StatusCodes.Bad.value ? quality.bad : quality.stale;
}

/** One plain value; undefined for arrays and structures. */
function scalarOf(variant: Variant): Value | undefined {
  const value: unknown = variant.value;
  if (variant.dataType === DataType.Null || value === null || value === undefined) return null;
  if (variant.arrayType !== VariantArrayType.Scalar) return undefined;
  return plainValue(value, variant.dataType);
}

const integerBits: Readonly<Record<string, number>> = {
  Int8: -8,
  Int16: -16,
  Int32: -32,
  Int64: -64,
  UInt8: 8,
  UInt16: 16,
  UInt32: 32,
  UInt64: 64,
  DateTime: 64,
};

/** Whether a value fits the metric's type: a value that does not would arrive as another number. Negative bits mean signed. */
function createTypeCheck(dataType: OpcuaTagConfig['dataType']): (value: Value) => ValueProblem | undefined {
  if (dataType === 'String') return (value) => (typeof value === 'string' ? undefined : 'wrongType');
  if (dataType === 'Boolean') return (value) => (typeof value === 'boolean' ? undefined : 'wrongType');
  const bits = integerBits[dataType];
  if (bits === undefined) return (value) => (typeof value === 'number' || typeof value === 'bigint' ? undefined : 'wrongType');
  const low = bits < 0 ? -(2n ** BigInt(-bits - 1)) : 0n;
  const high = bits < 0 ? 2n ** BigInt(-bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  return (value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return 'wrongType';
    const isInteger = typeof value === 'bigint' || Number.isInteger(value);
    return isInteger && value >= low && value <= high ? undefined : 'outOfRange';
  };
}
