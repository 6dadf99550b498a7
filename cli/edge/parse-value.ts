import { ConfigError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import { fitTo } from '@nhip/edge-agent/rules/fit';

/** What a person typed, as a value of the metric's type. Throws ConfigError when it is none, or does not fit. */
export function parseValue(text: string, type: DataTypeName, source: string): NonNullable<Value> {
  const wrong = (what: string): ConfigError => new ConfigError(source, [`"${text}" is ${what}; the metric is ${type}`]);
  if (type === 'String' || type === 'Text') return text;
  if (type === 'Boolean') {
    if (/^(true|on|1)$/i.test(text)) return true;
    if (/^(false|off|0)$/i.test(text)) return false;
    throw wrong('neither true nor false');
  }
  if (/^U?Int(8|16|32|64)$/.test(type)) {
    if (!/^-?\d{1,20}$/.test(text)) throw wrong('no whole number');
    const number = Number(text);
    const value = fitTo(type, Number.isSafeInteger(number) ? number : BigInt(text));
    if (value === undefined) throw wrong(`outside of what ${type} can hold`);
    return value;
  }
  if (type === 'DateTime') {
    const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isNaN(ms)) throw wrong('no time, e.g. 2026-01-31T08:00:00Z');
    return ms;
  }
  if (!/^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text)) throw wrong('no number (with a point, not a comma)');
  return Number(text);
}
