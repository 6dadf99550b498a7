import type { Log } from '@nhip/core/process/log';
import type { Reading } from '../../driver.ts';
import { createConverter } from '../conversion.ts';
import { type ModbusAddress, parseAddress } from './address.ts';
import type { ModbusTagConfig } from './config.ts';
import { createDecoder } from './decode.ts';

/** One tag: where it lives and how its bytes become a reading. */
export interface Point {
  readonly metric: string;
  readonly address: ModbusAddress;
  /** `offset` as in `Decoder`. */
  read(data: Buffer, offset: number, timestampMs: number): Reading;
}

export function createPoint(tag: ModbusTagConfig, log: Log): Point {
  const address = parseAddress(tag.address);
  if ('problem' in address) throw new Error(`${tag.address}: ${address.problem}`);
  const { metric } = tag;
  const decode = createDecoder(address);
  const convert = createConverter(tag);
  let told = false;
  return {
    metric,
    address,
    read: (data, offset, timestampMs) => {
      const raw = decode(data, offset);
      const { value, quality: valueQuality, problem } = convert(raw);
      if (problem !== undefined && !told) {
        told = true;
        log.warn({ metric, raw: String(raw), problem }, 'The value has no meaning and is reported as bad.');
      }
      return { metric, value, timestampMs, quality: valueQuality };
    },
  };
}
