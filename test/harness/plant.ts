import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { atExit } from './at-exit.ts';
import { nhip, type Process, runNhip, type Surroundings } from './nhip.ts';

/** A data folder of its own that goes away with `remove`. */
export interface DataFolder {
  readonly path: string;
  remove(): void;
}

export function makeDataFolder(): DataFolder {
  const path = mkdtempSync(join(tmpdir(), 'nhip-test-'));
  return { path, remove: atExit(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 })) };
}

/** A server on free ports; `mqttPort` and `httpPort` pin them, for a restart at the same place. */
export function startServer(
  data: DataFolder,
  pinned: { readonly http?: number; readonly mqtt?: number } = {},
  flags: readonly string[] = ['--demo'],
  surroundings: Surroundings = {},
): Process {
  const ports = ['--http-port', String(pinned.http ?? 0), '--mqtt-port', String(pinned.mqtt ?? 0)];
  return nhip(['server', '--data', data.path, ...ports, '--json', ...flags], surroundings);
}

/** Credentials for a publisher, made by the command that a user would call. */
export async function addDevice(data: DataFolder, name: string): Promise<{ readonly username: string; readonly password: string }> {
  const { stdout, code, stderr } = await runNhip(['device', 'add', name, '--data', data.path, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { username: string; password: string };
}

/** An edge agent that is configured and not running. */
export interface PreparedEdge {
  readonly config: string;
  /** Writes the config again with other connections; the next start reads it. */
  configure(connections: readonly object[]): void;
  start(): Process;
}

export interface EdgeSettings {
  /** On top of what the harness sets: keep alive 2 s. */
  readonly mqtt?: object;
  readonly outbox?: object;
  /** What the server may ask of the edge. */
  readonly remote?: object;
  readonly surroundings?: Surroundings;
  /** Where the broker is; 127.0.0.1 when absent. */
  readonly brokerHost?: string;
}

/** Writes an edge agent's config and returns how to start it. */
export async function prepareEdge(
  data: DataFolder,
  edge: string,
  mqttPort: number,
  connections: readonly object[],
  settings: EdgeSettings = {},
): Promise<PreparedEdge> {
  const { password } = await addDevice(data, `g/${edge}`);
  const dir = join(data.path, 'config');
  mkdirSync(dir, { recursive: true });
  const config = join(dir, `${edge}.yaml`);
  const { outbox = {}, remote = {}, surroundings = {}, brokerHost = '127.0.0.1' } = settings;
  const mqtt = { url: `mqtt://${brokerHost}:${mqttPort}`, password, keepaliveS: 2, ...settings.mqtt };
  const configure = (wanted: readonly object[]): void =>
    writeFileSync(config, stringify({ group: 'g', edge, mqtt, outbox, remote, connections: wanted }));
  configure(connections);
  return { config, configure, start: () => nhip(['edge', 'run', '--config', config, '--data', data.path, '--json'], surroundings) };
}
