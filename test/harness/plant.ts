import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { nhip, type Process, runNhip } from './nhip.ts';

/** A data folder of its own that goes away with `remove`. */
export interface DataFolder {
  readonly path: string;
  remove(): void;
}

export function makeDataFolder(): DataFolder {
  const path = mkdtempSync(join(tmpdir(), 'nhip-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A server on free ports; `mqttPort` and `httpPort` pin them, for a restart at the same place. */
export function startServer(
  data: DataFolder,
  pinned: { readonly http?: number; readonly mqtt?: number } = {},
  flags: readonly string[] = ['--demo'],
): Process {
  const ports = ['--http-port', String(pinned.http ?? 0), '--mqtt-port', String(pinned.mqtt ?? 0)];
  return nhip(['server', '--data', data.path, ...ports, '--json', ...flags]);
}

/** Credentials for a publisher, made by the command that a user would call. */
export async function addDevice(data: DataFolder, name: string): Promise<{ readonly username: string; readonly password: string }> {
  const { stdout, code, stderr } = await runNhip(['device', 'add', name, '--data', data.path, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { username: string; password: string };
}

/** Writes an edge agent's config and returns how to start it. */
export async function prepareEdge(
  data: DataFolder,
  edge: string,
  mqttPort: number,
  connections: readonly object[],
): Promise<{ readonly config: string; start(): Process }> {
  const { password } = await addDevice(data, `g/${edge}`);
  const dir = join(data.path, 'config');
  mkdirSync(dir, { recursive: true });
  const config = join(dir, `${edge}.yaml`);
  const mqtt = { url: `mqtt://127.0.0.1:${mqttPort}`, password, keepaliveS: 2 };
  writeFileSync(config, stringify({ group: 'g', edge, mqtt, connections }));
  return { config, start: () => nhip(['edge', 'run', '--config', config, '--data', data.path, '--json']) };
}
