import { dirname, resolve } from 'node:path';
import { readConfigText } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { mqttCa, mqttPassword, resolveConnections } from '@nhip/edge-agent/agent';
import { type AgentConfig, parseAgentConfig } from '@nhip/edge-agent/config';
import type { Connection } from '@nhip/edge-agent/reload/connection-set';
import type { Input } from '../arguments.ts';

/** The file of --config. Throws ConfigError when it is missing. */
export function configFile(input: Pick<Input, 'text'>): string {
  const file = input.text('config');
  if (file === undefined) throw new ConfigError('--config', ['--config FILE is missing, e.g. --config edge.yaml']);
  return resolve(file);
}

/** A configuration that the agent can start with; file names in it are absolute. Throws ConfigError with all problems. */
export function parseEdgeConfig(text: string, file: string): AgentConfig {
  const settled = settle(parseAgentConfig(text, file, process.env), file);
  resolveConnections(settled, file);
  mqttPassword(settled, file);
  mqttCa(settled, file);
  return settled;
}

/** The connections of a configuration, whether or not there is a password for the broker: nothing is published with it. */
export function readConnections(file: string): { readonly config: AgentConfig; readonly connections: readonly Connection[] } {
  const config = settle(parseAgentConfig(readConfigText(file), file, process.env), file);
  return { config, connections: resolveConnections(config, file) };
}

/** Relative file names in the config are relative to it, wherever the agent is started. */
function settle(config: AgentConfig, file: string): AgentConfig {
  const beside = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(dirname(file), path));
  const { passwordFile, caFile } = config.mqtt;
  // Drivers have files too: passwords and keys of users.
  const connections = config.connections.map((connection) => {
    const entries = Object.entries(connection).map(([key, value]) => [
      key,
      key.endsWith('File') && typeof value === 'string' ? beside(value) : value,
    ]);
    return { ...connection, ...Object.fromEntries(entries) };
  });
  return { ...config, mqtt: { ...config.mqtt, passwordFile: beside(passwordFile), caFile: beside(caFile) }, connections };
}
