import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ComposeProcesses, composeProcesses } from '../harness/compose-processes.ts';
import { hasInfluxd } from '../harness/influxd.ts';
import { type Process, startProcess } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder } from '../harness/plant.ts';
import { hasPostgres, type Postgres, startPostgres } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';

/** Programs that are not in Debian. What they are given is checked below. */
const notHere = ['prometheus', 'grafana'];

let data: DataFolder;
let stack: ComposeProcesses;
let running: Process[];
let postgres: Postgres | undefined;
let databaseFolder: string;

beforeEach(async () => {
  data = makeDataFolder();
  // PostgreSQL does not run as root, and must reach it.
  databaseFolder = mkdtempSync(join(tmpdir(), 'nhip-compose-'));
  chmodSync(databaseFolder, 0o711);
  stack = await composeProcesses(data.path);
  running = [];
});

afterEach(async () => {
  for (const process of running.reverse()) await process.stop();
  await postgres?.stop();
  postgres = undefined;
  data.remove();
  rmSync(databaseFolder, { recursive: true });
});

async function runOnce(service: string): Promise<void> {
  const { code, stderr } = await stack.start(service).ended;
  if (code !== 0) throw new Error(`${service} ended with ${code}: ${stderr}`);
}

/** Starts what docker compose would start, when it would: each service when those that it waits for are where they must be. */
async function up(): Promise<void> {
  const waiting = new Set(stack.services.filter(({ name }) => !notHere.includes(name)).map(({ name }) => name));
  const isDone = new Set<string>();
  while (waiting.size > 0) {
    const next = stack.services.find(
      ({ name, dependsOn }) => waiting.has(name) && Object.keys(dependsOn).every((other) => isDone.has(other)),
    );
    if (next === undefined) throw new Error(`nobody can start: ${[...waiting].join(', ')}`);
    const { name } = next;
    if (name === 'postgres') {
      // Debian's server in place of the image, whose first start makes the cluster from these settings.
      const password = secret('postgres', 'password');
      postgres = await startPostgres(databaseFolder, [], { port: stack.port('postgres', 5432), password });
    } else if (next.healthcheck === undefined) await runOnce(name);
    else {
      running.push(stack.start(name));
      // Somebody waits for it to be healthy.
      if (stack.services.some(({ dependsOn }) => dependsOn[name]?.condition === 'service_healthy')) await healthy(name);
    }
    waiting.delete(name);
    isDone.add(name);
  }
}

async function healthy(service: string): Promise<void> {
  let last: unknown;
  await until(
    `${service} is healthy`,
    async () => {
      last = await stack.checkHealth(service);
      return (last as { code: number }).code === 0;
    },
    30_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}; ${running.map((process) => process.stderr().slice(-600)).join('\n')}`);
  });
}

const secret = (service: string, name: string): string => readFileSync(join(stack.path(service, '/secrets'), name), 'utf8');
const basic = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

async function influx(user: string, password: string, q: string): Promise<Response> {
  const url = `http://127.0.0.1:${stack.port('influxdb', 8086)}/query?db=nhip`;
  return fetch(url, { method: 'POST', headers: basic(user, password), body: new URLSearchParams({ q }) });
}

describe.skipIf(!hasInfluxd || !hasPostgres)(
  'the services of docker-compose.yml as processes (needs apt-get install influxdb postgresql)',
  () => {
    it('are healthy by their own checks, and values of the plant come through to the board and to Grafana’s login', async () => {
      await up();
      for (const { name } of stack.services.filter(
        ({ healthcheck, name }) => healthcheck !== undefined && ![...notHere, 'postgres'].includes(name),
      )) {
        await healthy(name);
      }
      const admin = basic('admin', secret('live', 'nhip-admin-password'));
      const board = `http://127.0.0.1:${stack.port('live', 8080)}`;
      const machines = async () => (await (await fetch(`${board}/api/v1/machines`, { headers: admin })).json()) as { machines: unknown[] };
      await until('machines are on the board', async () => (await machines()).machines.length > 5, 60_000);
      expect((await fetch(`${board}/api/v1/machines`)).status).toBe(401);

      const grafana = secret('grafana', 'influxdb-password');
      await until('Grafana would see samples', async () => {
        const text = await (await influx('nhip-grafana', grafana, 'SELECT count(v) FROM samples')).text();
        return /"values":\[\[.*,\d+\]\]/.test(text);
      });
      expect((await influx('nhip-grafana', grafana, 'DROP DATABASE nhip')).status).toBe(403);
      expect((await influx('nhip-live', 'guessed', 'SHOW DATABASES')).status).toBe(401);

      // As docker-compose.yml starts Grafana: what its image would find.
      const service = stack.services.find(({ name }) => name === 'grafana');
      const script = service?.entrypoint?.[2]?.replace('/run.sh', 'printenv NHIP_INFLUXDB_PASSWORD') ?? '';
      const given = await startProcess(['/bin/sh', '-c', script.replaceAll('/secrets', stack.path('grafana', '/secrets'))]).ended;
      expect(given).toMatchObject({ code: 0, stdout: `${grafana}\n` });
      // As Prometheus asks: packaging/docker/prometheus.yml.
      const scraped = async (service: string, port: number, headers = {}) =>
        (await fetch(`http://127.0.0.1:${stack.port(service, port)}/metrics`, { headers })).text();
      const metricsToken = secret('prometheus', 'nhip-token');
      const bearer = { authorization: `Bearer ${metricsToken}` };
      expect(await scraped('live', 8080, bearer)).toContain('nhip_stored_samples_total');
      expect((await fetch(`${board}/api/v1/machines`, { headers: bearer })).status).toBe(403);
      expect(await scraped('broker', 8082)).toMatch(/^nhip_broker_connections 2$/m);
      expect(await scraped('edge-cnc', 8083)).toMatch(/^nhip_agent_online 1$/m);

      // The sector server keeps its reports in PostgreSQL, and lets nobody in without a login.
      const sector = `http://127.0.0.1:${stack.port('sector', 8090)}`;
      expect(await (await fetch(`${sector}/v1/log/sth`)).json()).toMatchObject({ treeSize: 0 });
      expect((await fetch(`${sector}/v1/me/access-log`)).status).toBe(401);

      // A second `docker compose up`: nothing that was made is made again.
      const before = readFileSync(stack.path('live', '/data/server/mqtt-credentials.json'), 'utf8');
      await runOnce('init');
      await runOnce('prepare-influxdb');
      expect(secret('grafana', 'influxdb-password')).toBe(grafana);
      expect(secret('prometheus', 'nhip-token')).toBe(metricsToken);
      expect(await scraped('live', 8080, bearer)).toContain('nhip_stored_samples_total');
      expect(readFileSync(stack.path('live', '/data/server/mqtt-credentials.json'), 'utf8')).toBe(before);
      expect(statSync(join(stack.path('live', '/secrets'), 'nhip-admin-password')).mode & 0o077).toBe(0);
      for (const service of ['live', 'edge-cnc', 'broker']) await healthy(service);
    }, 300_000);
  },
);
