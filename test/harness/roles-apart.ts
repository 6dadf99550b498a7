import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startChaosProxy } from './chaos-proxy.ts';
import { keptInInfluxdb } from './collect-evidence.ts';
import type { Equipment } from './equipment.ts';
import { freePort } from './free-port.ts';
import { startHttpFaults } from './http-faults.ts';
import { configText } from './influxd.ts';
import { nhip, type Process, startProcess } from './nhip.ts';
import type { DataFolder } from './plant.ts';
import { createRole } from './role.ts';
import type { ServerShape } from './server-shape.ts';
import { until } from './until.ts';

const database = 'nhip';
/** Short, so that a store that hangs is noticed within a cell. */
const requestTimeoutMs = 3000;

/** `nhip broker`, `nhip ingest`, `nhip live` and a real InfluxDB: `store`, behind proxies that break its link and its answers. */
export async function createRolesApart(
  data: DataFolder,
  config: object,
  { server: surroundings }: Equipment,
  random: () => number,
): Promise<ServerShape> {
  const influxPort = await freePort();
  const answers = await startHttpFaults(influxPort, random);
  const link = await startChaosProxy({ port: answers.port }, { random });
  const file = join(data.path, 'server.yaml');
  writeFileSync(
    file,
    stringify({ ...config, store: { type: 'influxdb', url: `http://127.0.0.1:${link.port}`, database, requestTimeoutMs } }),
  );
  const ports = { http: await freePort(), mqtt: await freePort() };
  const command = (name: string, ...flags: readonly string[]): Process =>
    nhip([name, '--data', data.path, '--config', file, '--json', ...flags], surroundings);
  const store = createRole('store', () => startInfluxProcess(join(data.path, 'influxdb'), influxPort));
  const broker = createRole('broker', () => command('broker', '--mqtt-port', String(ports.mqtt)));
  const ingest = createRole('ingest', () => command('ingest'));
  const live = createRole('live', () => command('live', '--demo', '--http-port', String(ports.http)));
  return {
    roles: [store, broker, ingest, live],
    mqttPort: () => ports.mqtt,
    httpPort: () => ports.http,
    store: { link, answers },
    async stop() {
      for (const role of [live, ingest, broker]) await role.stop();
      const kept = await keptInInfluxdb(`http://127.0.0.1:${influxPort}`, database);
      await store.stop();
      return kept;
    },
    async close() {
      await link.close();
      await answers.close();
    },
  };
}

/** Ready when it answers. */
function startInfluxProcess(dir: string, port: number): Process {
  mkdirSync(dir, { recursive: true });
  const config = join(dir, 'influxdb.conf');
  writeFileSync(config, configText(dir, port, {}));
  const child = startProcess(['/usr/bin/influxd', 'run', '-config', config]);
  const answers = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(1000) })).status === 204;
  const ready = Promise.race([until('influxd answers', answers, 30_000).then(() => ({})), child.ready]);
  ready.catch(() => undefined);
  return { ...child, ready };
}
