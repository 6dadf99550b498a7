import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { quality } from '@nhip/core/wire/sample';
import { appendAudit, assertAuditable, auditFile } from '@nhip/edge-agent/audit-trail';
import type { DeviceConfig, MetricDefinition, Reading, TagWrite, WriteAttempt } from '@nhip/edge-agent/driver';
import type { Connection } from '@nhip/edge-agent/reload/connection-set';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder } from '../folders.ts';
import { configFile, readConnections } from './edge-config.ts';
import { parseValue } from './parse-value.ts';
import { edgeProgram } from './program.ts';
import { plainValue, valueText } from './value-text.ts';

const source = `${edgeProgram} write`;
const timeoutMs = 20_000;

export const write: Command = {
  name: 'edge write',
  usage: 'DEVICE METRIC VALUE --config FILE [--confirm]',
  summary:
    'Writes one value to a machine, reads it back and keeps a line in the audit trail (audit.ndjson in the data folder). Only tags that the configuration calls writable. Without --confirm it says what it would do and sends nothing. It opens a connection of its own: stop the agent first when the device takes only one.',
  flags: {
    config: commonFlags.config,
    data: commonFlags.data,
    confirm: { summary: 'Really write' },
    json: { summary: 'The answer as JSON' },
  },
  run: async (input) => {
    const [deviceId, metric, text, ...more] = input.positionals;
    if (deviceId === undefined || metric === undefined || text === undefined || more.length > 0) {
      throw new ConfigError(source, ['say DEVICE METRIC VALUE, e.g. MAY-01 Setpoint/Temp 180.5; a text with spaces in quotes']);
    }
    const { config, connections } = readConnections(configFile(input));
    const place = findTag(connections, deviceId, metric);
    const wanted: TagWrite = { metric, value: parseValue(text, place.definition.dataType, source) };
    const what = `${deviceId} ${metric} = ${valueText(plainValue(wanted.value))}${place.definition.unit === undefined ? '' : ` ${place.definition.unit}`}`;
    const answer = { device: deviceId, metric, value: plainValue(wanted.value) };
    if (!input.isSet('confirm')) {
      const would = `Would write ${what} over connection ${place.connection.config.id}. Nothing was sent: add --confirm to write.`;
      process.stdout.write(input.isSet('json') ? `${JSON.stringify({ ...answer, outcome: 'not confirmed' })}\n` : `${would}\n`);
      return 0;
    }
    const dataDir = dataFolder(input.text('data')).edge(config.edge);
    const readBack = await writeOnce(place, wanted, dataDir);
    const isAsWanted = readBack.quality === quality.good && valueText(plainValue(readBack.value)) === valueText(plainValue(wanted.value));
    const shown = valueText(plainValue(readBack.value));
    process.stdout.write(
      input.isSet('json')
        ? `${JSON.stringify({ ...answer, outcome: 'written', readBack: plainValue(readBack.value), quality: readBack.quality })}\n`
        : `Wrote ${what}; the device says ${shown} now${isAsWanted ? '' : ', which is not what was written'}.\n`,
    );
    return isAsWanted ? 0 : 1;
  },
};

interface Place {
  readonly connection: Connection;
  readonly device: DeviceConfig;
  readonly definition: MetricDefinition;
}

/** Throws ConfigError when there is no such tag, or it must not be written. */
function findTag(connections: readonly Connection[], deviceId: string, metric: string): Place {
  for (const connection of connections) {
    const device = connection.config.devices.find(({ id }) => id === deviceId);
    if (device === undefined) continue;
    const definition = connection.plugin.metrics(device).find(({ name }) => name === metric);
    if (definition === undefined) throw new ConfigError(source, [`device ${deviceId} has no tag ${metric}`]);
    if (definition.isWritable !== true) {
      throw new ConfigError(source, [`${deviceId} ${metric} may not be written: its tag must say "writable: true"`]);
    }
    return { connection, device, definition };
  }
  throw new ConfigError(source, [`there is no device ${deviceId} in the configuration`]);
}

/** Every attempt leaves its line, also one that failed. */
async function writeOnce({ connection, device }: Place, wanted: TagWrite, dataDir: string): Promise<Reading> {
  const env = createNodeEnv(dataDir);
  const { plugin, config } = connection;
  const attempt = { deviceId: device.id, write: wanted, timestampMs: env.clock.now() };
  const keep = (result: Pick<WriteAttempt, 'outcome' | 'readBack' | 'reason'>): void =>
    appendAudit(auditFile(dataDir), 'console', { ...attempt, ...result });
  assertAuditable(auditFile(dataDir));
  const driver = (await plugin.load()).create(config, { ...env, log: createLog('edge-write', 'error'), stateDir: `${dataDir}/drivers` });
  const signal = AbortSignal.timeout(timeoutMs);
  let isSent = false;
  try {
    if (driver.write === undefined) throw new ConfigError(source, [`driver ${plugin.name} cannot write`]);
    await driver.connect(signal);
    isSent = true;
    const readBack = await driver.write(device.id, wanted, signal);
    keep({ outcome: 'written', readBack });
    return readBack;
  } catch (error) {
    const isRefused = !isSent || error instanceof ConfigError;
    keep({ outcome: isRefused ? 'refused' : 'failed', reason: reasonOf(error) });
    throw error;
  } finally {
    await driver.close();
  }
}
