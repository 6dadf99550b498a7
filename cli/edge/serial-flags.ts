import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { serialFields } from '@nhip/edge-agent/drivers/modbus/config';
import type { Flag, Input } from '../arguments.ts';

/** How a serial line is set; for targets that are one. */
export const serialFlags = {
  baud: { summary: 'Serial line: bits per second', value: 'RATE' },
  parity: { summary: 'Serial line: none, even or odd', value: 'PARITY' },
  'stop-bits': { summary: 'Serial line: 1 or 2', value: 'N' },
} as const satisfies Record<string, Flag>;

/** What of a Modbus connection the flags say; what they do not say is the driver's default. The driver checks the values. */
export type SerialSettings = { readonly serial?: Readonly<Record<string, number | string>> };

export function serialSettings(input: Pick<Input, 'text'>): SerialSettings {
  const number = (flag: string): number | undefined => {
    const text = input.text(flag);
    if (text !== undefined && !/^\d{1,7}$/.test(text)) throw new ConfigError(`--${flag}`, [`"${text}" is no number`]);
    return text === undefined ? undefined : Number(text);
  };
  const given = { baudRate: number('baud'), parity: input.text('parity'), stopBits: number('stop-bits') };
  const serial = Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
  return Object.keys(serial).length === 0 ? {} : { serial };
}

/** With the driver's defaults. Throws ConfigError for what the driver does not take. */
export function serialConfig({ serial = {} }: SerialSettings, source: string): ReturnType<typeof serialFields.parse> {
  return checkConfig(serialFields, serial, source);
}
