import type { Value } from '@nhip/core/wire/sample';
import type { ModbusAddress } from './address.ts';
import type { ModbusTagConfig } from './tag-config.ts';

/** Which raw values mean "no value", and which values the metric can have. */

// One function for all tags that have no such settings: an agent may have 20,000.
const hasNone = (): boolean => false;
const asItIs = (value: Value): Value => value;

/** Whether a raw value is one of those by which the device says that it has none. */
export function createSentinelCheck(address: ModbusAddress, invalid: ModbusTagConfig['invalid']): (raw: Value) => boolean {
  if (invalid === undefined || invalid.length === 0) return hasNone;
  const texts = new Set(invalid.flatMap((sentinel) => sentinelTexts(address, sentinel)));
  return (raw) => texts.has(String(raw));
}

/** A manual writes 0x8000 where an int16 says -32768: both are meant. */
function sentinelTexts(address: ModbusAddress, sentinel: number | string): readonly string[] {
  const isFloat = address.type === 'float16' || address.type === 'float32' || address.type === 'float64';
  if (isFloat) return [String(address.type === 'float32' ? Math.fround(Number(sentinel)) : Number(sentinel))];
  if (typeof sentinel === 'number' && !Number.isInteger(sentinel)) return [];
  const isNegative = typeof sentinel === 'string' && sentinel.startsWith('-');
  const integer = isNegative ? -BigInt(String(sentinel).slice(1)) : BigInt(sentinel);
  const isSigned = address.type.startsWith('int');
  const asSigned = BigInt.asIntN(address.bits?.count ?? address.count * 16, integer);
  return isSigned ? [String(integer), String(asSigned)] : [String(integer)];
}

type Limits = Pick<ModbusTagConfig, 'validMin' | 'validMax' | 'clampMin' | 'clampMax'>;

/** The value as it is reported; undefined when it is outside its valid range. */
export function createLimiter(limits: Limits): (value: Value) => Value | undefined {
  const { validMin, validMax, clampMin, clampMax } = limits;
  if ([validMin, validMax, clampMin, clampMax].every((limit) => limit === undefined)) return asItIs;
  return (value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return value;
    if ((validMin !== undefined && value < validMin) || (validMax !== undefined && value > validMax)) return undefined;
    if (clampMin !== undefined && value < clampMin) return clampMin;
    return clampMax !== undefined && value > clampMax ? clampMax : value;
  };
}

/** 10 to the power of what a scale factor register says; undefined for what is no power (SunSpec: 0x8000 is "none"; -10 to 10). */
export function powerOfTen(raw: Value | undefined): number | undefined {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= -10 && raw <= 10 ? raw : undefined;
}

/** Dividing keeps 0.3 from becoming 0.30000000000000004. */
export function timesPowerOfTen(raw: number, power: number): number {
  return power < 0 ? raw / 10 ** -power : raw * 10 ** power;
}
