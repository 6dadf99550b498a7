import { Agent, request } from 'node:http';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { SampleStore } from '@nhip/stores/history-store';
import { influxdbConfig } from '@nhip/stores/influxdb/config';
import { createInfluxdbStore } from '@nhip/stores/influxdb/influxdb-store';
import { createSampleEncoder, type SampleEncoder } from '@nhip/stores/influxdb/sample-lines';
import { victoriametricsConfig } from '@nhip/stores/victoriametrics/config';
import { createNumberEncoder } from '@nhip/stores/victoriametrics/number-lines';
import { createVictoriametricsStore } from '@nhip/stores/victoriametrics/victoriametrics-store';
import { finish, givenTask } from './run-apart.ts';

/** One measurement of the sink bench, in a process of its own. */
export interface SinkTask {
  /** `sink`: batches of samples through our store. `bare`: the bodies that it would send, made before, posted as fast as it goes. */
  readonly kind: 'sink' | 'bare';
  readonly server: 'influxdb' | 'victoriametrics';
  readonly url: string;
  /** Of InfluxDB; it must be there for `bare`. */
  readonly database: string;
  /** Counted; more come before them, as a service that runs for days has its machine code ready. */
  readonly samples: number;
  readonly series: number;
  readonly requestsInFlight: number;
  /** Time of the first sample: VictoriaMetrics has no databases to keep runs apart. */
  readonly startMs: number;
}

export interface SinkMeasured {
  readonly seconds: number;
  readonly bytes: number;
}

const batchSamples = 200_000;
const bodyBytes = 1_000_000;
const firstBatches = 3;

function batches({ samples: counted, startMs, series: seriesCount }: SinkTask): readonly SampleBatch[] {
  const samples = counted + firstBatches * batchSamples;
  const series = new SeriesTable();
  const all: SampleBatch[] = [];
  for (let from = 0; from < samples; from += batchSamples) {
    const batch = new SampleBatch(series, batchSamples);
    for (let i = from; i < Math.min(samples, from + batchSamples); i++) {
      const id = series.id(`bench/edge-${i % 10}/EP-${Math.floor((i % seriesCount) / 50)}`, `Group/Metric${i % seriesCount}`);
      batch.push(id, startMs + Math.floor(i / seriesCount) * 1000, i % 1_000_000, Math.round(Math.sin(i) * 10_000) / 100, 192, false);
    }
    all.push(batch);
  }
  return all;
}

function bodiesOf(all: readonly SampleBatch[], encoder: SampleEncoder): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (const batch of all) {
    for (let fromRow = 0; fromRow < batch.length; ) {
      const { bytes, toRow } = encoder.encode(batch, { fromRow, toRow: batch.length, maxBytes: bodyBytes }, new Set());
      bodies.push(Buffer.from(bytes));
      fromRow = toRow;
    }
  }
  return bodies;
}

function createStore({ server, url, database, requestsInFlight }: SinkTask): SampleStore {
  if (server === 'influxdb')
    return createInfluxdbStore(influxdbConfig.parse({ type: 'influxdb', url, database, maxInFlight: requestsInFlight }));
  // Its checkpoint file is not what is measured here: it is written once in some seconds.
  const place = { disk: createSimDisk().boot(), folder: 'bench' };
  const config = victoriametricsConfig.parse({ type: 'victoriametrics', url, maxInFlight: requestsInFlight });
  return createVictoriametricsStore(config, { clock: createSimClock(Date.now()), place });
}

async function runSink(task: SinkTask, all: readonly SampleBatch[]): Promise<number> {
  const store = createStore(task);
  await store.open();
  const decoder = new Uint8Array(10_000);
  let started = 0;
  for (const [i, batch] of all.entries()) {
    if (i === firstBatches) started = performance.now();
    const written = store.write({
      batch,
      losses: [],
      checkpoint: { nextIndex: i + 1, decoder, repeats: Uint8Array.of(i) },
      keepRefused: () => Promise.reject(new Error('the store refuses a sample of the bench')),
    });
    // As ingest does with a backlog: the next batch is decoded while this one is written. No counted one goes ahead of the clock.
    const next = i + 1 === firstBatches ? undefined : all[i + 1];
    if (next !== undefined) store.ahead?.(next);
    await written;
  }
  const seconds = (performance.now() - started) / 1000;
  await store.close();
  return seconds;
}

async function runBare(
  { server, url, database, requestsInFlight }: SinkTask,
  first: readonly Buffer[],
  counted: readonly Buffer[],
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: requestsInFlight });
  const path = server === 'influxdb' ? `/write?db=${database}&precision=ns` : '/api/v2/write?precision=ms';
  const post = (body: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length };
      const sent = request(`${url}${path}`, { method: 'POST', agent, headers }, (answer) => {
        answer.resume().once('end', () => (answer.statusCode === 204 ? resolve() : reject(new Error(`answered ${answer.statusCode}`))));
      });
      sent.once('error', reject).end(body);
    });
  const postAll = (bodies: readonly Buffer[]): Promise<unknown> => {
    const waiting = bodies.values();
    const work = async (): Promise<void> => {
      for (const body of waiting) await post(body);
    };
    return Promise.all(Array.from({ length: requestsInFlight }, work));
  };
  await postAll(first);
  const started = performance.now();
  await postAll(counted);
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return seconds;
}

const task = givenTask<SinkTask>();
const all = batches(task);
const encoder = task.server === 'influxdb' ? createSampleEncoder() : createNumberEncoder();
const first = bodiesOf(all.slice(0, firstBatches), encoder);
const counted = bodiesOf(all.slice(firstBatches), encoder);
const bytes = counted.reduce((sum, body) => sum + body.length, 0);
finish({ seconds: task.kind === 'sink' ? await runSink(task, all) : await runBare(task, first, counted), bytes } satisfies SinkMeasured);
