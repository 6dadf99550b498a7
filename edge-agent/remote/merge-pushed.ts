import { isDeepStrictEqual } from 'node:util';
import { parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import type { Connection } from '../reload/connection-set.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The document that the agent would have with a pushed one: the connections of the pushed one, everything else from the file on the
 * gateway. Throws ConfigError with all problems when the pushed one has another opinion about anything else, or when its connections
 * name environment variables: what is read into the name of a metric would be published.
 */
export function mergePushed(pushed: string, file: string, source: string, env: Variables): unknown {
  const wanted = parseYaml(pushed, source, unfilled);
  const written = parseYaml(file, source, unfilled);
  const own = parseYaml(file, source, env);
  if (!isRecord(wanted) || !isRecord(written) || !isRecord(own) || wanted.connections === undefined)
    throw new ConfigError(source, ['connections: is missing']);
  const different = Object.keys(wanted).filter((key) => key !== 'connections' && !isDeepStrictEqual(wanted[key], written[key]));
  const problems = different.map((key) => `${key}: is not as in the file on the gateway, and may be changed only there`);
  const variable = /\$\{[A-Z][A-Z0-9_]*\}/.exec(JSON.stringify(wanted.connections))?.[0];
  if (variable !== undefined) problems.push(`connections: ${variable} may not be used here; name a file that is on the gateway`);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return { ...own, connections: wanted.connections };
}

/** Leaves `${NAME}` as it is written. */
const unfilled: Variables = new Proxy({}, { get: (_, name) => `\${${String(name)}}` });

/**
 * What a pushed configuration must not do although it is sound: read files that the gateway's own file does not name, and have writable
 * tags (unless `allowsWritable`) in other connections than those that are as in that file. Both sides with defaults filled in and file names
 * absolute.
 */
export function pushedProblems(pushed: readonly Connection[], own: readonly Connection[], allowsWritable: boolean): readonly string[] {
  const named = new Set(own.flatMap(({ config }) => fileNames(config)));
  const problems: string[] = [];
  for (const connection of pushed) {
    const { config } = connection;
    const before = own.find((other) => other.config.id === config.id);
    for (const name of fileNames(config)) {
      if (!named.has(name)) problems.push(`connection ${config.id}: the file on the gateway does not name ${name}`);
    }
    if (!allowsWritable && isWritable(connection) && !isDeepStrictEqual(config, before?.config)) {
      const todo = 'change it at the gateway, or set remote.writable there';
      problems.push(`connection ${config.id}: it has writable tags and is not as in the file on the gateway; ${todo}`);
    }
  }
  return problems;
}

function isWritable({ plugin, config }: Connection): boolean {
  return config.devices.some((device) => plugin.metrics(device).some((metric) => metric.isWritable === true));
}

/** Values of all keys that end in `File`, wherever they stand. */
function fileNames(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fileNames);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => (key.endsWith('File') && typeof item === 'string' ? [item] : fileNames(item)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
