import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type CountingPlc, countingConnection, deviceOf, metricOf, startCountingPlc } from '../harness/counting-plc.ts';
import { freePort } from '../harness/free-port.ts';
import { hasInfluxd, type Influxd, influxQuery, startInfluxd } from '../harness/influxd.ts';
import { nhip, type Process, runNhip } from '../harness/nhip.ts';
import { addDevice, type DataFolder, makeDataFolder, prepareEdge } from '../harness/plant.ts';
import { createRole, type Role } from '../harness/role.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';

const units = [1, 2, 3];
/** What a crash of the edge may take: values that were read and not yet synced (commit window plus the sync itself). */
const crashWindowMs = 1000;

let data: DataFolder;
let plc: CountingPlc;
let influxPort: number;
let influxd: Influxd | undefined;
let ports: { mqtt: number; live: number; ingest: number };

beforeEach(async () => {
  data = makeDataFolder();
  plc = await startCountingPlc();
  influxPort = await freePort();
  ports = { mqtt: await freePort(), live: await freePort(), ingest: await freePort() };
});

afterEach(async () => {
  await plc.close();
  await influxd?.kill();
  influxd = undefined;
  data.remove();
});

const influxDir = (): string => join(data.path, 'influxdb');
const influxUrl = (): string => `http://127.0.0.1:${influxPort}`;

function configFile(store: object = { type: 'influxdb', url: influxUrl() }): string {
  const file = join(data.path, 'server.yaml');
  writeFileSync(file, stringify({ store }));
  return file;
}

function start(role: 'broker' | 'ingest' | 'live', flags: readonly string[]): Process {
  return nhip([role, '--config', configFile(), '--data', data.path, '--json', ...flags]);
}

function createRoles(): Readonly<Record<'broker' | 'ingest' | 'live', Role>> {
  return {
    broker: createRole('broker', () => start('broker', ['--mqtt-port', String(ports.mqtt)])),
    ingest: createRole('ingest', () => start('ingest', ['--http-port', String(ports.ingest)])),
    live: createRole('live', () => start('live', ['--http-port', String(ports.live), '--demo'])),
  };
}

/** The numbers of every unit as InfluxDB holds them, asked without the product. */
async function storedValues(): Promise<readonly string[]> {
  const rows = await influxQuery(influxUrl(), 'nhip', `SELECT v FROM samples WHERE metric = '${metricOf(0)}' GROUP BY machine`);
  return rows.map(({ machine, v }) => `${machine} ${v}`);
}

async function getJson<T>(port: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return (await response.json()) as T;
}

describe.skipIf(!hasInfluxd)('roles apart with InfluxDB (needs influxd: apt-get install influxdb)', () => {
  it('wait for each other, deliver, and lose and double nothing when each is killed in turn', async () => {
    const roles = createRoles();
    // In the wrong order: live and ingest have no log, then no store.
    const started = [roles.live.start(), roles.ingest.start()];
    await until('ingest answers, and is not ready', async () => {
      const { ready, problems } = await getJson<{ ready: boolean; problems: string[] }>(ports.ingest, '/health/ready');
      return !ready && problems.some((problem) => problem.includes('no log here yet'));
    });
    await roles.broker.start();
    await until('ingest waits for the store', async () => {
      const { problems } = await getJson<{ problems: string[] }>(ports.ingest, '/health/ready');
      return problems.some((problem) => problem.includes('cannot be reached'));
    });
    influxd = await startInfluxd(influxDir(), influxPort);
    await Promise.all(started);
    const prepared = await prepareEdge(data, 'e', ports.mqtt, [countingConnection(plc.port, units, 50)]);
    const edge = createRole('edge', () => prepared.start());
    await edge.start();

    let edgeKilledAtMs = Number.NEGATIVE_INFINITY;
    const isExcused = (atMs: number): boolean => atMs <= edgeKilledAtMs && atMs > edgeKilledAtMs - crashWindowMs;
    const lostAnswers = async (answers = plc.journal.length) => {
      const stored = new Set(await storedValues());
      return plc.journal
        .slice(0, answers)
        .filter(({ unit, value, atMs }) => !isExcused(atMs) && !stored.has(`g/e/${deviceOf(unit)} ${value}`));
    };
    const readOn = async (): Promise<void> => {
      const before = plc.journal.length;
      await until('the PLC is read on', () => plc.journal.length > before + 60);
    };
    const allStored = async (): Promise<void> => {
      const answers = plc.journal.length;
      await until('everything up to here is stored', async () => (await lostAnswers(answers)).length === 0, 60_000);
    };

    await readOn();
    await allStored();
    const board = createServerApi(() => ports.live);
    const boardGoesOn = async (): Promise<void> => {
      const answers = plc.journal.length;
      await until('the board shows a value that is newer than this', async () => {
        const shown = await board.value('g/e/U1', metricOf(0));
        return plc.journal.slice(answers).some(({ unit, value }) => unit === 1 && value === shown);
      });
    };
    for (const role of [roles.ingest, roles.broker, roles.live]) {
      await role.kill();
      await readOn();
      // Without ingest, too.
      if (role === roles.ingest) await boardGoesOn();
      await role.start();
      await allStored();
      await boardGoesOn();
    }
    await influxd.kill();
    await readOn();
    await until('live says that the store takes nothing', async () => {
      const { storeDownSinceMs } = await getJson<{ storeDownSinceMs: number | null }>(ports.live, '/api/v1/stats');
      return storeDownSinceMs !== null;
    });
    influxd = await startInfluxd(influxDir(), influxPort);
    await allStored();
    await edge.kill();
    edgeKilledAtMs = Date.now();
    await edge.start();
    await readOn();
    await allStored();
    plc.switchOff();
    // The one read that was on the wire when the PLC was switched off may have been answered to nobody.
    await until('the rest is stored', async () => (await lostAnswers()).length <= 1, 60_000);

    const stored = await storedValues();
    const served = new Set(plc.journal.map(({ unit, value }) => `g/e/${deviceOf(unit)} ${value}`));
    expect(stored.length).toBe(new Set(stored).size);
    expect(stored.filter((value) => !served.has(value))).toEqual([]);
    expect(stored.length).toBeGreaterThan(300);

    const machine = encodeURIComponent('g/e/U1');
    const shown = await getJson<{ v: (number | null)[] }>(
      ports.live,
      `/api/v1/history?machine=${machine}&metric=${encodeURIComponent(metricOf(0))}&from=${Date.now() - 600_000}&to=${Date.now()}`,
    );
    // When the PLC was switched off the edge said that it knows no value any more.
    expect(shown.v.filter((value) => value !== null)).toEqual(
      plc.journal.flatMap(({ unit, value }) => (unit === 1 && stored.includes(`g/e/U1 ${value}`) ? [value] : [])),
    );
    const stats = await until('live knows that all is well', async () => {
      const now = await getJson<{ stored: number; storeDownSinceMs: number | null; logRecordsBehind: number }>(ports.live, '/api/v1/stats');
      return now.storeDownSinceMs === null && now.logRecordsBehind === 0 && now;
    });
    expect(stats.stored).toBeGreaterThan(0);
    expect(await (await fetch(`http://127.0.0.1:${ports.ingest}/metrics`)).text()).toContain('nhip_store_up 1\n');
    for (const role of [edge, roles.live, roles.ingest, roles.broker]) await role.stop();
    expect([edge, ...Object.values(roles)].flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('bring a command of ingest to its edge through the broker', async () => {
    influxd = await startInfluxd(influxDir(), influxPort);
    const roles = createRoles();
    await roles.broker.start();
    await roles.ingest.start();
    const { username, password } = await addDevice(data, 'g/foreign');
    const client = await connectAsync(`mqtt://127.0.0.1:${ports.mqtt}`, { username, password, clientId: 'foreign' });
    const commands: string[] = [];
    client.on('message', (topic) => commands.push(topic));
    await client.subscribeAsync('spBv1.0/g/NCMD/foreign', { qos: 1 });
    await until('ingest asks for the birth that it lacks', async () => {
      const payload = encodePayload({ timestampMs: Date.now(), seq: 5, metrics: [] });
      await client.publishAsync('spBv1.0/g/DDATA/foreign/d', Buffer.from(payload), { qos: 1 });
      return commands.includes('spBv1.0/g/NCMD/foreign');
    });
    await client.endAsync();
    await roles.ingest.stop();
    await roles.broker.stop();
    expect([roles.ingest, roles.broker].flatMap(({ problems }) => problems)).toEqual([]);
  });
});

describe('a role apart', () => {
  it('says in one sentence that two processes cannot share a DuckDB file', async () => {
    const config = configFile({ type: 'duckdb' });
    const { code, stderr } = await runNhip(['live', '--config', config, '--data', data.path, '--check']);
    expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringContaining('use `nhip server`, or a store of type influxdb') });
    expect((await runNhip(['ingest', '--config', config, '--data', data.path, '--check'])).code).toBe(0);
  });

  it('that waits ends at once when it is told to', async () => {
    const config = configFile({ type: 'duckdb' });
    const ingest = nhip(['ingest', '--config', config, '--data', data.path, '--json', '--http-port', String(ports.ingest)]);
    await until('ingest answers', () => fetch(`http://127.0.0.1:${ports.ingest}/health/live`));
    expect((await ingest.stop()).code).toBe(0);
  });

  it('stores into DuckDB beside a broker of its own', async () => {
    const broker = nhip(['broker', '--data', data.path, '--mqtt-port', String(ports.mqtt), '--json']);
    await broker.ready;
    const ingest = nhip(['ingest', '--data', data.path, '--http-port', '0', '--json']);
    const { http } = await ingest.ready;
    const prepared = await prepareEdge(data, 'e', ports.mqtt, [countingConnection(plc.port, units, 50)]);
    const edge = prepared.start();
    await until('samples are stored', async () => {
      const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
      return Number(/^nhip_stored_samples_total (\d+)/m.exec(text)?.[1]) > 20;
    });
    for (const process of [edge, ingest, broker]) expect((await process.stop()).code).toBe(0);
  });
});
