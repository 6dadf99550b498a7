import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type CountingPlc, countingConnection, deviceOf, metricOf, startCountingPlc } from '../harness/counting-plc.ts';
import { freePort } from '../harness/free-port.ts';
import { hasInfluxd, type Influxd, influxQuery, startInfluxd } from '../harness/influxd.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { exportSeries, hasVictoriaMetrics, startVictoriaMetrics, type VictoriaMetrics } from '../harness/victoria-metrics.ts';

const units = [1, 2];

interface Stats {
  readonly stored: number;
  readonly storeDownSinceMs: number | null;
  readonly logRecordsBehind: number;
  readonly furtherStores: readonly {
    readonly name: string;
    readonly downSinceMs: number | null;
    readonly problem: { readonly code: string } | null;
    readonly recordsBehind: number;
    readonly missedRecords: number;
  }[];
}

let data: DataFolder;
let plc: CountingPlc;
let influxd: Influxd | undefined;
let victoria: VictoriaMetrics | undefined;
let processes: Process[] = [];
let ports: { influx: number; victoria: number; http: number; mqtt: number };

beforeEach(async () => {
  data = makeDataFolder();
  plc = await startCountingPlc();
  ports = { influx: await freePort(), victoria: await freePort(), http: await freePort(), mqtt: await freePort() };
});

afterEach(async () => {
  for (const process of processes) await process.kill();
  processes = [];
  await plc.close();
  await influxd?.kill();
  await victoria?.kill();
  data.remove();
});

const startInflux = () => startInfluxd(join(data.path, 'influxdb'), ports.influx);
const startVictoria = () => startVictoriaMetrics(join(data.path, 'victoria'), ports.victoria);

async function stats(): Promise<Stats> {
  return (await (await fetch(`http://127.0.0.1:${ports.http}/api/v1/stats`)).json()) as Stats;
}

async function inInflux(): Promise<ReadonlySet<string>> {
  const rows = await influxQuery(
    `http://127.0.0.1:${ports.influx}`,
    'nhip',
    `SELECT v FROM samples WHERE metric = '${metricOf(0)}' GROUP BY machine`,
  );
  return new Set(rows.map(({ machine, v }) => `${machine} ${v}`));
}

async function inVictoria(): Promise<ReadonlySet<string>> {
  const found = await exportSeries(`http://127.0.0.1:${ports.victoria}`, `samples_v{metric="${metricOf(0)}"}`);
  return new Set(found.flatMap(({ metric, values }) => values.map((v) => `${metric.machine} ${v}`)));
}

describe.skipIf(!hasInfluxd || !hasVictoriaMetrics)('further stores (need influxd and victoria-metrics)', () => {
  it('never delay the first one, and are complete in the end, whatever happened to them', async () => {
    const config = join(data.path, 'server.yaml');
    writeFileSync(
      config,
      stringify({
        furtherStores: [
          { type: 'influxdb', name: 'engineers', url: `http://127.0.0.1:${ports.influx}` },
          { type: 'victoriametrics', name: 'metrics', url: `http://127.0.0.1:${ports.victoria}` },
        ],
      }),
    );
    // Neither is there when the server starts.
    const server = startServer(data, { http: ports.http, mqtt: ports.mqtt }, ['--demo', '--config', config]);
    processes.push(server);
    await server.ready;
    const edge = (await prepareEdge(data, 'e', ports.mqtt, [countingConnection(plc.port, units, 50)])).start();
    processes.push(edge);
    const readOn = async (): Promise<void> => {
      const before = plc.journal.length;
      await until('the PLC is read on', () => plc.journal.length > before + 40);
    };
    /** Everything that was answered until now. */
    const allIn = async (what: string, kept: () => Promise<ReadonlySet<string>>): Promise<void> => {
      const asked = plc.journal.map(({ unit, value }) => `g/e/${deviceOf(unit)} ${value}`);
      await until(
        `${what} has everything`,
        async () => {
          const all = await kept();
          return asked.every((value) => all.has(value));
        },
        60_000,
      );
    };
    const firstIsWell = async (): Promise<void> => {
      const before = await stats();
      await until('the first store goes on', async () => {
        const { stored, storeDownSinceMs, logRecordsBehind } = await stats();
        return stored > before.stored + 20 && storeDownSinceMs === null && logRecordsBehind < 5;
      });
    };

    await readOn();
    await firstIsWell();
    expect((await stats()).furtherStores.map(({ problem }) => problem?.code)).toEqual(['store.unreachable', 'store.unreachable']);
    influxd = await startInflux();
    victoria = await startVictoria();
    await allIn('InfluxDB', inInflux);
    await allIn('VictoriaMetrics', inVictoria);

    await influxd.kill();
    await victoria.kill();
    await readOn();
    await until('both are known to be away', async () => (await stats()).furtherStores.every(({ downSinceMs }) => downSinceMs !== null));
    await firstIsWell();
    const metrics = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
    expect(metrics).toContain('nhip_store_up 1\n');
    expect(metrics).toContain('nhip_further_store_up{store="engineers"} 0\n');
    expect(metrics).toMatch(/nhip_further_store_problem\{store="metrics",code="store\.un\w+"\} 1\n/);

    influxd = await startInflux();
    victoria = await startVictoria();
    await allIn('InfluxDB', inInflux);
    // With what the killed server had in memory only.
    await allIn('VictoriaMetrics', inVictoria);

    // They go on where they were when the server comes back.
    await server.kill();
    await readOn();
    const again = startServer(data, { http: ports.http, mqtt: ports.mqtt }, ['--demo', '--config', config]);
    processes.push(again);
    await again.ready;
    await allIn('InfluxDB', inInflux);
    await allIn('VictoriaMetrics', inVictoria);
    const rows = await influxQuery(influxd.url, 'nhip', `SELECT v FROM samples WHERE metric = '${metricOf(0)}' GROUP BY machine`);
    expect(rows.length).toBe(new Set(rows.map(({ machine, v }) => `${machine} ${v}`)).size);
    expect((await stats()).furtherStores.map(({ missedRecords }) => missedRecords)).toEqual([0, 0]);
    for (const process of [edge, again]) expect((await process.stop()).code).toBe(0);
  });
});
