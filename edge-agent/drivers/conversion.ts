import { type Quality, quality, type Value } from '@nhip/core/wire/sample';

/** From the raw value that a protocol delivers to the value that is reported: enum text, scale and offset, validity. */
export interface Conversion {
  readonly scale: number;
  readonly offset: number;
  readonly enum?: Readonly<Record<string, string>> | undefined;
}

export interface Converted {
  readonly value: Value;
  readonly quality: Quality;
  /** Why the quality is bad. */
  readonly problem?: 'notANumber' | 'notInEnum' | undefined;
}

const notANumber: Converted = { value: null, quality: quality.bad, problem: 'notANumber' };
const notInEnum: Converted = { value: null, quality: quality.bad, problem: 'notInEnum' };

export function isScaled(conversion: Conversion): boolean {
  return conversion.scale !== 1 || conversion.offset !== 0;
}

/**
 * Makes the conversion of one tag. Raw integers above 2^53 stay bigint unless they are scaled. NaN and infinities become null
 * with bad quality, as does a number that the enum does not list.
 */
export function createConverter(conversion: Conversion): (raw: Value) => Converted {
  const { enum: texts, offset } = conversion;
  if (texts !== undefined) {
    const byNumber = new Map(Object.entries(texts));
    return (raw) => {
      const text = raw === null ? undefined : byNumber.get(typeof raw === 'boolean' ? (raw ? '1' : '0') : String(raw));
      return text === undefined ? notInEnum : { value: text, quality: quality.good };
    };
  }
  if (!isScaled(conversion)) return unscaled;
  const scaled = multiplier(conversion.scale);
  return (raw) => {
    if (typeof raw !== 'number' && typeof raw !== 'bigint') return notANumber;
    const value = scaled(Number(raw)) + offset;
    return Number.isFinite(value) ? good(value) : notANumber;
  };
}

function unscaled(raw: Value): Converted {
  return typeof raw === 'number' && !Number.isFinite(raw) ? notANumber : good(raw);
}

function good(value: Value): Converted {
  return { value, quality: quality.good };
}

/** 3 × 0.1 is 0.30000000000000004 but 3 ÷ 10 is 0.3: a scale of 0.1, 0.01, … divides, so that people see round figures. */
function multiplier(scale: number): (raw: number) => number {
  const divisor = Math.round(1 / scale);
  return divisor > 1 && 1 / divisor === scale ? (raw) => raw / divisor : (raw) => raw * scale;
}
