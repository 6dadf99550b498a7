import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { metricNames } from '@nhip/core/wire/vocabulary';
import { createDuckdbStore, type DuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { type Bench, type Figure, quantile } from './figures.ts';

const day = 86_400_000;
const t0 = Date.UTC(2026, 9, 1);
const machines = 100;
const stateSeries = [metricNames.state, metricNames.stateReason, metricNames.connection] as const;
const words = ['running', 'idle', 'setup', 'fault', 'running', 'stopped'] as const;
const questions = 40;

/** One metric every second, and what 100 machines say of their states: a change every 2 to 5 minutes, of three series each. */
async function fill(store: DuckdbStore, days: number): Promise<number> {
  const table = new SeriesTable();
  const batch = new SampleBatch(table, 200_000);
  const metric = table.id('g/e/meter', 'Power/Active');
  const states = Array.from({ length: machines }, (_, m) => stateSeries.map((name) => table.id(`g/e/m${m}`, name)));
  const decoder = Uint8Array.of(1);
  let samples = 0;
  let nextIndex = 0;
  for (let fromMs = t0; fromMs < t0 + days * day; fromMs += day) {
    for (let s = 0; s < 86_400; s++) {
      batch.pushNumber(metric, fromMs + s * 1000, s, Math.round(500 + 200 * Math.sin(s / 900) + 30 * Math.sin(s * 7.13)) / 10, 192, false);
    }
    for (const [m, [state = 0, reason = 0, connection = 0]] of states.entries()) {
      batch.push(connection, fromMs + m, m, 'online', 192, false);
      for (let atMs = fromMs + m * 1000, i = m; atMs < fromMs + day; atMs += 120_000 + ((i * 37) % 180) * 1000, i++) {
        batch.push(state, atMs, i, words[i % words.length] ?? null, 192, false);
        if (i % 6 === 3) batch.push(reason, atMs, i, `E${i % 9}`, 192, false);
      }
    }
    samples += batch.length;
    const write = { batch, losses: [], checkpoint: { nextIndex: ++nextIndex, decoder, repeats: decoder } };
    await store.write({ ...write, keepRefused: () => Promise.reject(new Error('a sample was refused')) });
    batch.clear();
  }
  return samples;
}

/** Times of the questions in ms, after two that are not counted. */
async function time(ask: (i: number) => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = -2; i < questions; i++) {
    const started = performance.now();
    await ask(i + 2);
    if (i >= 0) times.push(performance.now() - started);
  }
  return times;
}

interface Measured {
  readonly rollUp: number;
  readonly raw: number;
  readonly overview: number;
  readonly compactMs: number;
  readonly samples: number;
}

async function measure(days: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-bench-'));
  const store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 512, threads: 2 });
  try {
    await store.open();
    const samples = await fill(store, days);
    const started = performance.now();
    // The last day stays hot: what is asked for reaches across the seam.
    await store.upkeep.run(t0 + (days - 1) * day + 3_600_000);
    const compactMs = performance.now() - started;
    const range = { machine: 'g/e/meter', metric: 'Power/Active', fromMs: t0, toMs: t0 + days * day, limit: 20_000 };
    const raw = Math.round((days * day) / 1000);
    const rollUp = Math.ceil(raw / 60_000) * 60_000;
    const series = Array.from({ length: machines }, (_, m) => stateSeries.map((metric) => ({ machine: `g/e/m${m}`, metric }))).flat();
    const p95 = async (ask: (i: number) => Promise<unknown>) => quantile(await time(ask), 0.95);
    return {
      samples,
      compactMs,
      rollUp: await p95((i) => store.buckets({ ...range, fromMs: t0 + i * 1000, everyMs: rollUp })),
      raw: await p95((i) => store.buckets({ ...range, fromMs: t0 + i * 1000, everyMs: raw - 1 })),
      overview: await p95((i) => store.changes(series, t0 + (days - 1.5) * day + i * 1000, t0 + (days - 0.5) * day, 1_000_000)),
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

export const historyQuery: Bench = {
  name: 'history-query',
  summary: 'Questions to the embedded store: 30 days of one metric at 1 s in 1,000 buckets, and the states of 100 machines over 24 h',
  async run({ runs, isShort }) {
    const days = isShort ? 4 : 30;
    const all: Measured[] = [];
    for (let run = 0; run < runs; run++) all.push(await measure(days));
    const row = (what: string, key: keyof Measured, atMost?: number): Figure => ({
      what,
      unit: 'ms',
      values: all.map((each) => each[key]),
      ...(atMost === undefined ? {} : { target: { kind: 'atMost', value: atMost } }),
    });
    return {
      figures: [
        row('1,000 buckets of whole minutes (roll-ups), p95', 'rollUp', 100),
        row('1,000 buckets of any length (every sample is read), p95', 'raw'),
        row('states of 100 machines over 24 h, p95', 'overview', 200),
        row('moving the closed days to files, in all', 'compactMs'),
      ],
      notes: [
        `${all[0]?.samples.toLocaleString('en-GB') ?? ''} samples in ${days} days, all but the last one in Parquet files; ${questions} questions of each kind in a row, the files in the page cache. DuckDB with 2 threads and 512 MB.`,
        'The span of the buckets begins at another second each time, so its edges are read from samples. The states are three series a machine, what held before included, half of the 24 h in a file and half in the database.',
        'Whole minutes: the shortest bucket of whole minutes that gives at most 1,000; the web board and Grafana ask so.',
      ],
    };
  },
};
