import type { Log } from '@nhip/core/process/log';
import { quality, type Value } from '@nhip/core/wire/sample';
import type { Reading } from '../../driver.ts';
import { createConverter } from '../conversion.ts';
import type { ModbusAddress } from './address.ts';
import type { ByteOrder } from './byte-order.ts';
import { createDecoder } from './decode.ts';
import { addressOf, type ModbusTagConfig } from './tag-config.ts';
import { createLimiter, createSentinelCheck, powerOfTen, timesPowerOfTen } from './validity.ts';

/** One tag: where it lives and how its bytes become a reading. */
export interface Point {
  readonly tag: ModbusTagConfig;
  readonly metric: string;
  readonly address: ModbusAddress;
  /** Where the power of ten is that its raw value is multiplied by. */
  readonly factor: ModbusAddress | undefined;
  /** The raw value; `offset` as in `Decoder`. */
  decode(data: Buffer, offset: number): Value;
  /** From the raw value, and what the scale factor register said in the same read. Bad quality for all that is no value. */
  reading(raw: Value, rawFactor: Value | undefined, timestampMs: number): Reading;
}

export function createPoint(tag: ModbusTagConfig, byteOrder: ByteOrder, log: Log): Point {
  const address = addressOf(tag.address, byteOrder);
  const { metric } = tag;
  const convert = createConverter(tag);
  const isSentinel = createSentinelCheck(address, tag.invalid);
  const limit = createLimiter(tag);
  let told = false;
  const bad = (raw: Value, problem: string, timestampMs: number): Reading => {
    if (!told) log.warn({ metric, raw: String(raw), problem }, 'The value has no meaning and is reported as bad.');
    told = true;
    return { metric, value: null, timestampMs, quality: quality.bad };
  };
  const hasFactor = tag.scaleFactor !== undefined;
  return {
    tag,
    metric,
    address,
    factor: tag.scaleFactor === undefined ? undefined : addressOf(tag.scaleFactor, byteOrder),
    decode: createDecoder(address),
    reading: (raw, rawFactor, timestampMs) => {
      if (raw === null) return bad(raw, `not${address.type}`, timestampMs);
      // That a sensor is not there is no news for a person.
      if (isSentinel(raw)) return { metric, value: null, timestampMs, quality: quality.bad };
      const power = hasFactor ? powerOfTen(rawFactor) : 0;
      if (power === undefined) return bad(raw, 'noScaleFactor', timestampMs);
      const { value, quality: valueQuality, problem } = convert(hasFactor ? timesPowerOfTen(Number(raw), power) : raw);
      if (problem !== undefined) return bad(raw, problem, timestampMs);
      const limited = limit(value);
      return limited === undefined ? bad(raw, 'outOfRange', timestampMs) : { metric, value: limited, timestampMs, quality: valueQuality };
    },
  };
}
