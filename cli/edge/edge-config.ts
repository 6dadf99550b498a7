import { dirname, resolve } from 'node:path';
import { readConfigText } from '@nhip/core/process/config';
import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import { mqttCa, mqttPassword, resolveConnections } from '@nhip/edge-agent/agent';
import { type AgentConfig, agentConfigOf, parseAgentConfig } from '@nhip/edge-agent/config';
import type { Connection } from '@nhip/edge-agent/reload/connection-set';
import { mergePushed, pushedProblems } from '@nhip/edge-agent/remote/merge-pushed';
import { readKey } from '@nhip/edge-agent/remote/signed-config';
import type { Input } from '../arguments.ts';
import { allProblems, problemsOf } from './all-problems.ts';

/** The file of --config. Throws ConfigError when it is missing. */
export function configFile(input: Pick<Input, 'text'>): string {
  const file = input.text('config');
  if (file === undefined) throw new ConfigError('--config', ['--config FILE is missing, e.g. --config edge.yaml']);
  return resolve(file);
}

/** A configuration that the agent can start with; file names in it are absolute. Throws ConfigError with all problems. */
export function parseEdgeConfig(text: string, file: string): AgentConfig {
  const settled = settle(parsed(text, file), file);
  const problems = problemsOf(
    () => resolveConnections(settled, file),
    () => mqttPassword(settled, file),
    () => mqttCa(settled, file),
    () => configKey(settled, file),
  );
  if (problems.length > 0) throw new ConfigError(file, problems);
  return settled;
}

/** The key of who may push configurations; undefined: nobody may. Throws ConfigError when its file cannot be used. */
export function configKey({ remote }: AgentConfig, source: string): ReturnType<typeof readKey> | undefined {
  const { configKeyFile } = remote;
  if (configKeyFile === undefined) return undefined;
  const place = `remote.configKeyFile: ${configKeyFile}`;
  let pem: string;
  try {
    pem = readConfigText(configKeyFile);
  } catch (error) {
    throw new ConfigError(source, [`${place} ${reasonOf(error)}`]);
  }
  return readKey(pem, 'public', place);
}

function parsed(text: string, file: string): AgentConfig {
  try {
    return parseAgentConfig(text, file, process.env);
  } catch (error) {
    throw error instanceof ConfigError ? allProblems(error, text, file, (path) => resolve(dirname(file), path)) : error;
  }
}

/**
 * The configuration of a file with the connections of a pushed one; `text` is that of the file. Throws ConfigError with all problems, also
 * for what may not be pushed.
 */
export function parsePushedConfig(pushed: string, text: string, file: string): AgentConfig {
  const source = 'the pushed configuration';
  const own = parseEdgeConfig(text, file);
  const merged = settle(agentConfigOf(mergePushed(pushed, text, source, process.env), source), file);
  const problems = pushedProblems(resolveConnections(merged, source), resolveConnections(own, file), own.remote.writable);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return merged;
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
  const remote = { ...config.remote, configKeyFile: beside(config.remote.configKeyFile) };
  return { ...config, mqtt: { ...config.mqtt, passwordFile: beside(passwordFile), caFile: beside(caFile) }, remote, connections };
}
