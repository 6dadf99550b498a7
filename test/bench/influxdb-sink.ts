import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { influxQuery, startInfluxd } from '../harness/influxd.ts';
import { makeDataFolder } from '../harness/plant.ts';
import { startVictoriaMetrics } from '../harness/victoria-metrics.ts';
import { type Bench, type Figure, ratios } from './figures.ts';
import type { SinkMeasured, SinkTask } from './influxdb-sink-work.ts';
import { processorS } from './process-use.ts';
import { runApart } from './run-apart.ts';

const dayMs = 86_400_000;
const series = 500;
const requestsInFlight = 4;

export const influxdbSink: Bench = {
  name: 'influxdb-sink',
  summary: 'Samples into InfluxDB and VictoriaMetrics: our sink beside a bare HTTP poster of the same prepared bodies to the same server',
  async run({ runs, isShort }) {
    const samples = isShort ? 400_000 : 6_000_000;
    const data = makeDataFolder();
    const influxd = await startInfluxd(join(data.path, 'influxdb'));
    const victoria = await startVictoriaMetrics(join(data.path, 'victoria'));
    let starts = 0;
    const one = async (server: SinkTask['server'], kind: SinkTask['kind']): Promise<SinkMeasured> => {
      const run = starts++;
      const database = `${kind}${run}`;
      // Both meet a database that is there and empty.
      if (server === 'influxdb') await influxQuery(influxd.url, '', `CREATE DATABASE ${database}`);
      const { url, pid } = server === 'influxdb' ? influxd : victoria;
      await untilIdle(pid);
      const startMs = Math.floor(Date.now() / dayMs) * dayMs - (200 - run) * dayMs;
      const measured = await runApart<SinkMeasured>('./influxdb-sink-work.ts', {
        kind,
        server,
        url,
        database,
        samples,
        series,
        requestsInFlight,
        startMs,
      } satisfies SinkTask);
      if (server === 'influxdb') await influxQuery(influxd.url, '', `DROP DATABASE ${database}`);
      return measured;
    };
    try {
      const figures: Figure[] = [];
      let bytesPerSample = 0;
      for (const [server, name] of [['influxdb', 'InfluxDB 1.6.7'] as const, ['victoriametrics', 'VictoriaMetrics 1.79.5'] as const]) {
        // Not counted: it makes the series.
        await one(server, 'bare');
        const sink: number[] = [];
        const bare: number[] = [];
        for (let run = 0; run < runs; run++) {
          // Whoever is second finds a warmer server.
          for (const kind of run % 2 === 0 ? (['sink', 'bare'] as const) : (['bare', 'sink'] as const)) {
            const { seconds, bytes } = await one(server, kind);
            (kind === 'sink' ? sink : bare).push(samples / seconds / 1000);
            bytesPerSample = bytes / samples;
          }
        }
        figures.push(
          { what: `our sink, ${name}`, unit: 'k samples/s', values: sink },
          { what: `bare poster, ${name}`, unit: 'k samples/s', values: bare },
          { what: `sink ÷ poster, ${name}`, unit: '×', values: ratios(sink, bare), target: { kind: 'atLeast', value: 0.9 } },
        );
      }
      return {
        figures,
        notes: [
          `${samples.toLocaleString('en-GB')} numbers of ${series} series, ${bytesPerSample.toFixed(0)} bytes each as line protocol; bodies of 1 MB, ${requestsInFlight} requests at a time, for both.`,
          'Our sink encodes the lines and writes a checkpoint after every 200,000 samples (InfluxDB); the poster has its bodies ready and writes none.',
          'Sink and poster by turns, each in a process of its own, each in an empty database (InfluxDB) or on a day of its own (VictoriaMetrics), when the server is done with what came before; 600,000 samples that are not counted come first in each, and one run that is not counted before all.',
        ],
      };
    } finally {
      await influxd.stop();
      await victoria.stop();
      data.remove();
    }
  },
};

/** Resolves when the process takes less than a tenth of a processor: what compacts the samples of one run must not slow the next. */
async function untilIdle(pid: number): Promise<void> {
  const everyMs = 500;
  for (let before = processorS(pid), tries = 0; tries < 120; tries++) {
    await setTimeout(everyMs);
    const now = processorS(pid);
    if (now - before < (0.1 * everyMs) / 1000) return;
    before = now;
  }
}
