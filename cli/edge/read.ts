import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { modbusConfig } from '@nhip/edge-agent/drivers/modbus/config';
import { readAddresses } from '@nhip/edge-agent/drivers/modbus/read-addresses';
import type { Command } from '../arguments.ts';
import { edgeProgram } from './program.ts';
import { type SerialSettings, serialFlags, serialSettings } from './serial-flags.ts';
import { parseTarget } from './target.ts';
import { plainValue, valueText } from './value-text.ts';

const source = `${edgeProgram} read`;

export const read: Command = {
  name: 'edge read',
  usage: 'modbus-tcp://HOST[:PORT]/UNIT --register ADDRESS …',
  summary:
    'Reads registers of one Modbus device once, without any configuration: a line each; what is bad says why (exception, no answer, wrong answer, no number), exit code 1 then. Also modbus-rtu-over-tcp://HOST:PORT/UNIT and modbus-rtu:///dev/ttyUSB0/UNIT.',
  flags: {
    register: { summary: '<table>:<number>:<type>[:<order>], e.g. holding:0:float32:CDAB; may be repeated', value: 'ADDRESS' },
    ...serialFlags,
    json: { summary: 'One JSON array of { address, value, quality }, with the reason when the value is bad' },
  },
  run: async (input) => readOnce(input.positionals[0], input.all('register'), serialSettings(input), input.isSet('json')),
};

/** For all of it: many registers of a slow line take their time. */
const timeoutMs = 60_000;

/** Resolves with 0 when every value is good. Throws ConfigError for a target or address that cannot be meant. */
export async function readOnce(
  text: string | undefined,
  addresses: readonly string[],
  serial: SerialSettings,
  isJson: boolean,
): Promise<number> {
  const pointed = parseTarget(text, source);
  if (pointed.kind !== 'modbus') throw new ConfigError(source, [`${text} is OPC UA: ${edgeProgram} browse shows its values`]);
  const { endpoint, unit } = pointed;
  if (unit === undefined) throw new ConfigError(source, [`the unit is missing, e.g. ${text}/1; ${edgeProgram} scan ${text} finds units`]);
  if (addresses.length === 0) throw new ConfigError(source, ['--register is missing, e.g. --register holding:0:uint16']);
  const tags = addresses.map((address, i) => ({ metric: `${i}`, address }));
  const config = checkConfig(
    modbusConfig,
    { id: 'read', driver: 'modbus', endpoint, ...serial, devices: [{ id: 'device', unit, tags }] },
    source,
  );
  const target = { endpoint, serial: config.serial, clock: createNodeClock() };
  const readings = await readAddresses(target, { unit, timeoutMs: config.timeoutMs }, addresses, AbortSignal.timeout(timeoutMs));
  const rows = readings.map(
    ({ address, value, reason }): Row => ({
      address,
      value: plainValue(value),
      ...(reason === null ? { quality: 'good' } : { quality: 'bad', reason }),
    }),
  );
  if (isJson) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else
    for (const { address, value, quality, reason } of rows) {
      const line = `${address.padEnd(28)} ${valueText(value).padStart(16)}  ${quality}`;
      process.stdout.write(`${line}${reason === undefined ? '' : `: ${reason}`}\n`);
    }
  return rows.every(({ reason }) => reason === undefined) ? 0 : 1;
}

interface Row {
  readonly address: string;
  readonly value: ReturnType<typeof plainValue>;
  readonly quality: 'good' | 'bad';
  /** Why it is bad. */
  readonly reason?: string;
}
