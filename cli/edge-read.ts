import { tmpdir } from 'node:os';
import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { quality } from '@nhip/core/wire/sample';
import type { DriverPlugin } from '@nhip/edge-agent/driver';
import { driverPlugin } from '@nhip/edge-agent/drivers/index';

const timeoutMs = 5000;
const device = 'device';

/**
 * Reads registers of one Modbus device once and prints them: a line each, or one JSON array of `{ address, value, quality }`.
 * Resolves with 0 when every value is good. Throws ConfigError for a target or address that cannot be meant.
 */
export async function readOnce(target: string, addresses: readonly string[], isJson: boolean): Promise<number> {
  const { endpoint, unit } = parseTarget(target);
  if (addresses.length === 0) throw new ConfigError('nhip edge read', ['--register is missing, e.g. --register holding:0:uint16']);
  const plugin: DriverPlugin = driverPlugin('modbus');
  const tags = addresses.map((address, i) => ({ metric: `${i}`, address }));
  const connection = { id: 'read', driver: 'modbus', endpoint, devices: [{ id: device, unit, tags }] };
  const config = checkConfig(plugin.config, connection, 'nhip edge read');
  const env = createNodeEnv(tmpdir());
  const driver = (await plugin.load()).create(config, { ...env, log: createLog('edge-read', 'error'), stateDir: tmpdir() });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await driver.connect(signal);
    const readings = (await driver.read?.(device, signal)) ?? [];
    const rows = addresses.map((address, i) => {
      const reading = readings.find(({ metric }) => metric === `${i}`);
      const value = typeof reading?.value === 'bigint' ? reading.value.toString() : (reading?.value ?? null);
      return { address, value, quality: reading?.quality === quality.good ? 'good' : 'bad' };
    });
    if (isJson) process.stdout.write(`${JSON.stringify(rows)}\n`);
    else
      for (const { address, value, quality: word } of rows)
        process.stdout.write(`${address.padEnd(28)} ${text(value).padStart(16)}  ${word}\n`);
    return rows.every((row) => row.quality === 'good') ? 0 : 1;
  } finally {
    await driver.close();
  }
}

/** Seven digits are what a float32 has; more would be noise. */
function text(value: number | string | boolean | null): string {
  if (value === null) return '–';
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(7))) : String(value);
}

function parseTarget(target: string): { readonly endpoint: string; readonly unit: number } {
  const match = /^modbus-tcp:\/\/(?<host>\[[^\]]+\]|[^:/]+)(?::(?<port>\d+))?\/(?<unit>\d+)$/.exec(target);
  const unit = Number(match?.groups?.unit);
  if (match?.groups === undefined || unit > 255) {
    throw new ConfigError('nhip edge read', [`"${target}" is not modbus-tcp://HOST[:PORT]/UNIT, e.g. modbus-tcp://192.168.1.20:502/1`]);
  }
  return { endpoint: `tcp://${match.groups.host}:${match.groups.port ?? '502'}`, unit };
}
