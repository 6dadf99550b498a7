import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { quality, type Value } from '@nhip/core/wire/sample';
import { appendAudit, appendRefusal, assertAuditable } from '@nhip/edge-agent/audit-trail';
import type { DeviceConfig, MetricDefinition, Reading, TagWrite, WriteAttempt } from '@nhip/edge-agent/driver';
import type { Connection } from '@nhip/edge-agent/reload/connection-set';
import type { CommandRefusal } from '@nhip/edge-agent/session/device-command';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder } from '../folders.ts';
import { goOnAsOwnerOf } from './as-owner.ts';
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
    'Writes one value to a machine, reads it back and keeps a line in the audit trail (audit.ndjson in the data folder; what was refused before anything was sent: audit-refused.ndjson). Only tags that the configuration calls writable. Without --confirm it checks everything that needs no machine, says what it would do and sends nothing. It opens a connection of its own: stop the agent first when the device takes only one.',
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
    const dataDir = dataFolder(input.text('data')).edge(config.edge);
    const isConfirmed = input.isSet('confirm');
    if (isConfirmed) goOnAsOwnerOf(dataDir);
    // What is only tried out leaves no line; what somebody really wanted to write does.
    const { place, wanted } = judge(connections, deviceId, metric, text, (refusal) => {
      if (isConfirmed) appendRefusal(dataDir, 'console', { ...refusal, timestampMs: Date.now() });
    });
    const what = `${deviceId} ${metric} = ${valueText(plainValue(wanted.value))}${place.definition.unit === undefined ? '' : ` ${place.definition.unit}`}`;
    const answer = { device: deviceId, metric, value: plainValue(wanted.value) };
    if (!isConfirmed) {
      const would = `Would write ${what} over connection ${place.connection.config.id}. Nothing was sent: add --confirm to write.`;
      process.stdout.write(input.isSet('json') ? `${JSON.stringify({ ...answer, outcome: 'not confirmed' })}\n` : `${would}\n`);
      return 0;
    }
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

/** The tag and the value, when the configuration lets it be written. Otherwise tells `onRefusal` and throws ConfigError. */
function judge(
  connections: readonly Connection[],
  deviceId: string,
  metric: string,
  text: string,
  onRefusal: (refusal: Omit<CommandRefusal, 'timestampMs'>) => void,
): { readonly place: Place; readonly wanted: TagWrite } {
  let value: Value = text;
  try {
    const place = findTag(connections, deviceId, metric);
    const wanted = { metric, value: parseValue(text, place.definition.dataType, source) };
    value = wanted.value;
    const problem = place.connection.plugin.writeProblem?.(place.device, wanted);
    if (problem !== undefined) throw new ConfigError(`${source}: ${deviceId}/${metric}`, [problem]);
    return { place, wanted };
  } catch (error) {
    const reason = reasonOf(error);
    try {
      onRefusal({ deviceId, metric, value, reason });
    } catch (unkept) {
      throw new ConfigError(source, [reason, `the audit trail cannot be kept: ${reasonOf(unkept)}`]);
    }
    throw error;
  }
}

/** Throws ConfigError when there is no such tag, or it must not be written. */
function findTag(connections: readonly Connection[], deviceId: string, metric: string): Place {
  const all = connections.flatMap((connection) => connection.config.devices.map((device) => ({ connection, device })));
  const found = all.find(({ device }) => device.id === deviceId);
  if (found === undefined) throw new ConfigError(source, [`there is no device ${deviceId} in the configuration`]);
  const definition = found.connection.plugin.metrics(found.device).find(({ name }) => name === metric);
  if (definition === undefined) throw new ConfigError(source, [`device ${deviceId} has no tag ${metric}`]);
  if (definition.isWritable !== true) {
    throw new ConfigError(source, [`${deviceId} ${metric} may not be written: its tag must say "writable: true"`]);
  }
  return { ...found, definition };
}

/** Every attempt leaves its line, also one that failed. */
async function writeOnce({ connection, device }: Place, wanted: TagWrite, dataDir: string): Promise<Reading> {
  const env = createNodeEnv(dataDir);
  const { plugin, config } = connection;
  const attempt = { deviceId: device.id, write: wanted, timestampMs: env.clock.now() };
  const keep = (result: Pick<WriteAttempt, 'outcome' | 'readBack' | 'reason'>): void =>
    appendAudit(dataDir, 'console', { ...attempt, ...result });
  assertAuditable(dataDir);
  const driver = (await plugin.load()).create(config, { ...env, log: createLog('edge-write', 'error'), stateDir: `${dataDir}/drivers` });
  const signal = AbortSignal.timeout(timeoutMs + (driver.connectExtraMs ?? 0));
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
