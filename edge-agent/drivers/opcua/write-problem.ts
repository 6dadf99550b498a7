import type { Value } from '@nhip/core/wire/sample';
import type { TagWrite } from '../../driver.ts';
import type { OpcuaDeviceConfig, OpcuaTagConfig } from './config.ts';

/** What of a write can be judged without the server, and without its library. */

export type Raw = NonNullable<Value>;

/** Why the config does not let a value be written: `DriverPlugin.writeProblem`. Whether it fits the server's type is only known there. */
export function writeProblem(device: Pick<OpcuaDeviceConfig, 'tags'>, { metric, value }: TagWrite): string | undefined {
  const tag = device.tags.find((each) => each.metric === metric);
  if (tag === undefined || !tag.writable) return 'the tag is not writable: true in the configuration';
  const outside = rangeProblem(tag, value);
  if (outside !== undefined) return outside;
  const raw = rawValue(tag, value);
  return 'problem' in raw ? raw.problem : undefined;
}

function rangeProblem({ min, max }: Pick<OpcuaTagConfig, 'min' | 'max'>, value: Raw): string | undefined {
  if (min === undefined && max === undefined) return undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint') return 'a number is expected, because min or max is given';
  // Written so that NaN is outside.
  if (min !== undefined && !(value >= min)) return `${value} is below min ${min}`;
  if (max !== undefined && !(value <= max)) return `${value} is above max ${max}`;
  return undefined;
}

/** Undoes enum, scale and offset: the value as the server has it, or why it cannot be one. */
export function rawValue(
  tag: Pick<OpcuaTagConfig, 'enum' | 'scale' | 'offset'>,
  value: Raw,
): { readonly raw: Raw } | { readonly problem: string } {
  if (tag.enum !== undefined) {
    const numbers = Object.entries(tag.enum).flatMap(([number, text]) => (text === value ? [number] : []));
    const [number] = numbers;
    if (number === undefined) return { problem: `"${String(value)}" is none of ${Object.values(tag.enum).join(', ')}` };
    return numbers.length === 1 ? { raw: Number(number) } : { problem: `"${String(value)}" stands for ${numbers.join(' and ')}` };
  }
  if (tag.scale === 1 && tag.offset === 0) return { raw: value };
  if (typeof value !== 'number' && typeof value !== 'bigint')
    return { problem: 'a number is expected, because the tag has a scale or offset' };
  const divisor = Math.round(1 / tag.scale);
  const shifted = Number(value) - tag.offset;
  // As in reading: 0.1 has no exact form, 10 has.
  return { raw: divisor > 1 && 1 / divisor === tag.scale ? shifted * divisor : shifted / tag.scale };
}
