import type { TagWrite } from '../../driver.ts';
import type { ModbusDeviceConfig } from './config.ts';
import { encode } from './encode.ts';
import { rawValueOf } from './raw-value.ts';
import { addressOf } from './tag-config.ts';

/**
 * Why the config does not let a value be written: `DriverPlugin.writeProblem`. Whether a value with a scale factor register fits is only
 * known when the device has said its factor.
 */
export function writeProblem(device: ModbusDeviceConfig, { metric, value }: TagWrite): string | undefined {
  const tag = device.tags.find((each) => each.metric === metric);
  if (tag === undefined) return 'there is no such metric';
  if (!tag.writable) return 'is not writable; the configuration of the tag must say writable: true';
  const address = addressOf(tag.address, device.byteOrder);
  try {
    const raw = rawValueOf(tag, address, value, 0);
    if (tag.scaleFactor === undefined) encode(address, raw);
    else if (typeof raw !== 'number' && typeof raw !== 'bigint') return `${raw} is not a number`;
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
