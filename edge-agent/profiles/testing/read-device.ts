import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality, type Value } from '@nhip/core/wire/sample';
import type { Reading } from '../../driver.ts';
import { modbusConfig } from '../../drivers/modbus/config.ts';
import { create } from '../../drivers/modbus/driver.ts';
import { modbus } from '../../drivers/modbus/index.ts';
import { deviceMetrics } from '../../rules/device-metrics.ts';
import { createDeviceRules } from '../../rules/device-rules.ts';
import { expandProfiles } from './expand-profiles.ts';

/** `value unit`, or `bad`. */
export type Shown = Readonly<Record<string, readonly [value: Value, unit: string | undefined] | 'bad'>>;

const never = new AbortController().signal;

/** What the agent would report of one Modbus device: profile, schema, driver and rules as in the agent. */
export async function readModbusDevice(port: number, device: Readonly<Record<string, unknown>>): Promise<Shown> {
  const written = {
    connections: [{ id: 'c', driver: 'modbus', endpoint: `tcp://127.0.0.1:${port}`, devices: [{ id: 'd', unit: 1, ...device }] }],
  };
  const expanded = expandProfiles(written, 'test.yaml') as typeof written;
  const config = modbusConfig.parse(expanded.connections[0]);
  const [only] = config.devices;
  if (only === undefined) throw new Error('there is no device');
  const driver = create(config, { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' });
  await driver.connect(never);
  try {
    let raw: readonly Reading[] = [];
    // A device that refuses a block is asked again for its parts.
    for (let i = 0; i < 8 && (i === 0 || raw.some((each) => each.quality !== quality.good)); i++)
      raw = (await driver.read?.('d', never)) ?? [];
    const readings = createDeviceRules(only, modbus.metrics(only)).apply(raw);
    const units = new Map(deviceMetrics(modbus, only).map(({ name, unit }) => [name, unit]));
    return Object.fromEntries(
      readings.map(({ metric, value, quality: how }) => [metric, how === quality.good ? [rounded(value), units.get(metric)] : 'bad']),
    );
  } finally {
    await driver.close();
  }
}

/** A float32 has seven digits. */
function rounded(value: Value): Value {
  return typeof value === 'number' ? Number(value.toPrecision(7)) : value;
}
