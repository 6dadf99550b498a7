/** 64-bit integers from unsigned 32-bit halves: number while exact, bigint above 2^53. */
import type { Value } from '../sample.ts';
import { dataType as types } from './datatype.ts';

export function unsigned64(low: number, high: number): number | bigint {
  if (high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

export function signed64(low: number, high: number): number | bigint {
  const signedHigh = high | 0;
  if (signedHigh >= -0x20_0000 && signedHigh < 0x20_0000) {
    const value = signedHigh * 0x1_0000_0000 + low;
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(signedHigh) << 32n) | BigInt(low);
}

/** The integer that `dataType` says two halves are; negative numbers in unsigned fields are sign-extended by its width. */
export function castInteger(low: number, high: number, dataType: number): Value {
  switch (dataType) {
    case types.Int8:
      return (low << 24) >> 24;
    case types.Int16:
      return (low << 16) >> 16;
    case types.Int32:
      return low | 0;
    case types.UInt8:
    case types.UInt16:
    case types.UInt32:
      return low;
    case types.Int64:
      return signed64(low, high);
    case types.Boolean:
      return low !== 0 || high !== 0;
    default:
      return unsigned64(low, high);
  }
}

/** Unsigned halves of an integer, two's complement when negative: [low, high]. */
export function halves(value: number | bigint): readonly [number, number] {
  if (typeof value === 'number' && value >= 0 && value <= 0xffff_ffff) return [value, 0];
  const wide = BigInt.asUintN(64, BigInt(value));
  return [Number(wide & 0xffff_ffffn), Number(wide >> 32n)];
}
