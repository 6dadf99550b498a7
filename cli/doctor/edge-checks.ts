import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { mqttCa, mqttPassword, resolveConnections } from '@nhip/edge-agent/agent';
import type { AgentConfig } from '@nhip/edge-agent/config';
import { publisherReader } from '@nhip/edge-agent/outbox/outbox';
import { schemaVersion } from '@nhip/stores/duckdb/schema';
import manifest from '../../package.json' with { type: 'json' };
import { brokerFindings } from './broker-login.ts';
import { certificateFindings } from './certificates.ts';
import { clockFindings, clockSkewMs, clockSync } from './clock.ts';
import { diskFacts, diskFindings } from './disk.ts';
import { type Finding, note, ok, wrong } from './finding.ts';
import { type MachineEndpoint, machineFindings } from './machines.ts';
import { logFacts, outboxFindings } from './outbox.ts';
import { permissionFindings } from './permissions.ts';
import { versionFindings } from './versions.ts';

export interface EdgeVisit {
  /** Valid by its schema. */
  readonly config: AgentConfig;
  readonly file: string;
  /** The edge's data folder. */
  readonly dataDir: string;
  /** Address of the server's API, to compare clocks. */
  readonly url: string | undefined;
  now(): number;
}

/** Everything that can be looked at on the gateway of an edge agent, running or not. */
export async function checkEdge({ config, file, dataDir, url, now }: EdgeVisit): Promise<readonly Finding[]> {
  const beside = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(dirname(file), path));
  const { passwordFile, caFile, password } = config.mqtt;
  const settled = { ...config, mqtt: { ...config.mqtt, passwordFile: beside(passwordFile), caFile: beside(caFile) } };
  const secrets = password === undefined ? [beside(passwordFile)] : [file];
  const skewMs = url === undefined ? undefined : await clockSkewMs(url.replace(/\/+$/, ''), now);
  return [
    ...clockFindings({ nowMs: now(), sync: await clockSync(), skewMs }),
    ...(url !== undefined && skewMs === undefined ? [note('clock', `${url} does not answer, so the clocks could not be compared.`)] : []),
    ...versionFindings({ node: process.versions.node, nhip: manifest.version, knownSchema: schemaVersion }),
    ...permissionFindings(
      [{ path: dataDir, kind: 'folder' }, ...secrets.flatMap((path) => (path === undefined ? [] : [{ path, kind: 'file' as const }]))],
      process.getuid?.(),
    ),
    ...(await outboxOf(config, dataDir)),
    ...(settled.mqtt.caFile === undefined ? [] : certificateFindings({ setting: 'mqtt.caFile', file: settled.mqtt.caFile }, now())),
    ...(await brokerOf(settled, file)),
    ...(await machineFindings(endpointsOf(config, file))),
  ];
}

async function outboxOf({ outbox }: AgentConfig, dataDir: string): Promise<readonly Finding[]> {
  if (!existsSync(dataDir)) return outboxFindings(undefined, outbox.maxBytes);
  const facts = await logFacts(join(dataDir, 'outbox/log'), publisherReader);
  const quota = { what: 'the outbox', setting: 'outbox.maxBytes', maxBytes: outbox.maxBytes, usedBytes: facts?.bytes ?? 0 };
  return [...diskFindings(await diskFacts(dataDir), [quota]), ...outboxFindings(facts, outbox.maxBytes)];
}

async function brokerOf(config: AgentConfig, file: string): Promise<readonly Finding[]> {
  const username = config.mqtt.username ?? `${config.group}/${config.edge}`;
  try {
    return await brokerFindings({ url: config.mqtt.url, username, password: mqttPassword(config, file), ca: mqttCa(config, file) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => wrong('credentials', `${problem}.`, `On the server: nhip device add ${username}`));
  }
}

/** Drivers with an endpoint, on the network or a serial line, name it `endpoint`; others have nothing to reach. */
function endpointsOf(config: AgentConfig, file: string): readonly MachineEndpoint[] {
  return resolveConnections(config, file).flatMap(({ config: connection }) => {
    const endpoint = 'endpoint' in connection ? connection.endpoint : undefined;
    return typeof endpoint === 'string' ? [{ connection: connection.id, endpoint }] : [];
  });
}

/** The configuration as such: what `nhip edge check` says. */
export function edgeConfigFindings(config: AgentConfig, file: string): readonly Finding[] {
  try {
    const devices = resolveConnections(config, file).reduce((sum, connection) => sum + connection.config.devices.length, 0);
    return [ok('configuration', `${file}: ${config.connections.length} connections, ${devices} devices.`)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) =>
      wrong('configuration', `${file}: ${problem}.`, 'Mend it; nhip edge check says when it is sound.'),
    );
  }
}
