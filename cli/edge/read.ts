import { tmpdir } from 'node:os';
import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { quality } from '@nhip/core/wire/sample';
import type { DriverPlugin } from '@nhip/edge-agent/driver';
import { driverPlugin } from '@nhip/edge-agent/drivers/index';
import type { Command } from '../arguments.ts';
import { edgeProgram } from './program.ts';
import { type SerialSettings, serialFlags, serialSettings } from './serial-flags.ts';
import { parseTarget } from './target.ts';
import { plainValue, valueText } from './value-text.ts';

const source = `${edgeProgram} read`;
const device = 'device';

export const read: Command = {
  name: 'edge read',
  usage: 'modbus-tcp://HOST[:PORT]/UNIT --register ADDRESS …',
  summary:
    'Reads registers of one Modbus device once, without any configuration: a line each, exit code 1 when one is bad. Also modbus-rtu-over-tcp://HOST:PORT/UNIT and modbus-rtu:///dev/ttyUSB0/UNIT.',
  flags: {
    register: { summary: '<table>:<number>:<type>[:<order>], e.g. holding:0:float32:CDAB; may be repeated', value: 'ADDRESS' },
    ...serialFlags,
    json: { summary: 'One JSON array of { address, value, quality }' },
  },
  run: async (input) => readOnce(input.positionals[0], input.all('register'), serialSettings(input), input.isSet('json')),
};

const timeoutMs = 5000;

/** Resolves with 0 when every value is good. Throws ConfigError for a target or address that cannot be meant. */
export async function readOnce(
  text: string | undefined,
  addresses: readonly string[],
  serial: SerialSettings,
  isJson: boolean,
): Promise<number> {
  const target = parseTarget(text, source);
  if (target.kind !== 'modbus') throw new ConfigError(source, [`${text} is OPC UA: ${edgeProgram} browse shows its values`]);
  const { endpoint, unit } = target;
  if (unit === undefined) throw new ConfigError(source, [`the unit is missing, e.g. ${text}/1; ${edgeProgram} scan ${text} finds units`]);
  if (addresses.length === 0) throw new ConfigError(source, ['--register is missing, e.g. --register holding:0:uint16']);
  const plugin: DriverPlugin = driverPlugin('modbus');
  const tags = addresses.map((address, i) => ({ metric: `${i}`, address }));
  const config = checkConfig(
    plugin.config,
    { id: 'read', driver: 'modbus', endpoint, ...serial, devices: [{ id: device, unit, tags }] },
    source,
  );
  const env = createNodeEnv(tmpdir());
  const driver = (await plugin.load()).create(config, { ...env, log: createLog('edge-read', 'error'), stateDir: tmpdir() });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await driver.connect(signal);
    const readings = (await driver.read?.(device, signal)) ?? [];
    const rows = addresses.map((address, i) => {
      const reading = readings.find(({ metric }) => metric === `${i}`);
      return { address, value: plainValue(reading?.value ?? null), quality: reading?.quality === quality.good ? 'good' : 'bad' };
    });
    if (isJson) process.stdout.write(`${JSON.stringify(rows)}\n`);
    else
      for (const { address, value, quality: word } of rows)
        process.stdout.write(`${address.padEnd(28)} ${valueText(value).padStart(16)}  ${word}\n`);
    return rows.every((row) => row.quality === 'good') ? 0 : 1;
  } finally {
    await driver.close();
  }
}
