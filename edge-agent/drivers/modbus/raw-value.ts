import type { Value } from '@nhip/core/wire/sample';
import type { ModbusAddress } from './address.ts';
import type { ModbusTagConfig } from './tag-config.ts';
import { timesPowerOfTen } from './validity.ts';

/** Types whose raw values are not whole numbers. */
const fractional: readonly ModbusAddress['type'][] = ['float16', 'float32', 'float64'];

/**
 * The raw value for a value in the unit of the metric: undoes enum, scale, offset and scale factor (`power` of ten). Scaled whole numbers are rounded to
 * the nearest that the device can hold. Throws RangeError, in one sentence, for what is no value of the tag.
 */
export function rawValueOf(tag: ModbusTagConfig, address: ModbusAddress, value: NonNullable<Value>, power: number): NonNullable<Value> {
  if (tag.enum !== undefined) {
    const found = Object.entries(tag.enum).find(([, text]) => text === value);
    if (found === undefined) throw new RangeError(`"${value}" is none of ${Object.values(tag.enum).join(', ')}`);
    if (address.type === 'bool') return found[0] === '1';
    return address.type === 'string' ? found[0] : numberFrom(found[0]);
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} is not a number`);
  if (tag.min !== undefined && value < tag.min) throw new RangeError(`${value} is below ${tag.min}, the least that may be written`);
  if (tag.max !== undefined && value > tag.max) throw new RangeError(`${value} is above ${tag.max}, the most that may be written`);
  if (tag.scale === 1 && tag.offset === 0 && power === 0) return value;
  const raw = timesPowerOfTen((Number(value) - tag.offset) / tag.scale, -power);
  return fractional.includes(address.type) ? raw : Math.round(raw);
}

function numberFrom(text: string): number | bigint {
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? BigInt(text) : number;
}
