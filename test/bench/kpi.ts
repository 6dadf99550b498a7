import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sums } from '@nhip/core/kpi/sums';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { PlantModel } from '@nhip/core/wire/plant';
import { metricNames } from '@nhip/core/wire/vocabulary';
import { createGate } from '@nhip/live/gate';
import { createKpi, type Kpi } from '@nhip/live/kpi/kpi';
import { openPlantState, type PlantState } from '@nhip/live/plant-state/plant-state';
import { createDuckdbStore, type DuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { type Bench, type Figure, quantile } from './figures.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** 06:00 in the plant. */
const t0 = Date.UTC(2026, 8, 30, 23);
const shiftEnd = t0 + 8 * hourMs;
/** Everything of the shift is settled. */
const nowMs = shiftEnd + hourMs;
const machines = Array.from({ length: 100 }, (_, i) => `g/e/m${i}`);
const lineLength = 5;
const questions = 20;
const words = ['running', 'idle', 'running', 'fault', 'running', 'setup'] as const;

const name = (text: string) => ({ vi: text, en: text });

const plant: PlantModel = {
  enterprise: name('Bench'),
  site: name('Bench'),
  timeZone: 'Asia/Ho_Chi_Minh',
  lines: Array.from({ length: machines.length / lineLength }, (_, i) => ({
    ...{ id: `L${i}`, name: name(`L${i}`) },
    machines: machines.slice(i * lineLength, (i + 1) * lineLength),
  })),
  machines: Object.fromEntries(machines.map((id) => [id, { role: 'machine', name: name(id), kind: name('m'), idealCycleMs: 20_000 }])),
  shifts: ['06:00', '14:00', '22:00'].map((from, i, all) => ({ id: `S${i}`, name: name(`S${i}`), from, to: all[(i + 1) % 3] ?? '' })),
  dayStart: '06:00',
  reasons: {},
};

/** A shift as edges tell it: a state every 2 to 5 minutes and once a minute, a piece every 20 s, the meter once a minute. */
async function fill(store: DuckdbStore): Promise<number> {
  const table = new SeriesTable();
  const batch = new SampleBatch(table, 400_000);
  for (const [m, machine] of machines.entries()) {
    const id = (metric: string): number => table.id(machine, metric);
    batch.push(id(metricNames.connection), t0 - hourMs, 0, 'online', 192, false);
    batch.push(id(metricNames.jobProduct), t0 - hourMs, 0, 'P1', 192, false);
    for (let s = -3600, changes = 0, next = -3600; s < 9 * 3600; s += 20) {
      const isChange = s >= next;
      if (isChange) {
        changes++;
        next = s + 120 + ((changes * 37 + m) % 180);
      }
      const word = words[changes % words.length] ?? 'running';
      if (isChange || s % 60 === 0) batch.push(id(metricNames.state), t0 + s * 1000 + m, s + 4000, word, 192, false);
      if (isChange) batch.push(id(metricNames.stateReason), t0 + s * 1000 + m, s + 4000, word === 'fault' ? 'E1' : '', 192, false);
      if (word === 'running') batch.pushNumber(id(metricNames.countGood), t0 + s * 1000 + m, s + 4000, 4000 + s / 20, 192, false);
      if (s % 60 === 0) batch.pushNumber(id(metricNames.energyImport), t0 + s * 1000 + m, s + 4000, 1000 + s / 600, 192, false);
    }
  }
  const decoder = Uint8Array.of(1);
  const write = { batch, losses: [], checkpoint: { nextIndex: 1, decoder, repeats: decoder } };
  await store.write({ ...write, keepRefused: () => Promise.reject(new Error('a sample was refused')) });
  return batch.length;
}

/** Days of figures before the shift, each hour of the shift again and again. */
async function fillLedger({ ledger }: PlantState, figures: ReadonlyMap<string, readonly Sums[]>, days: number): Promise<number> {
  let segments = 0;
  for (let d = 1; d <= days; d++) {
    const from = t0 - d * dayMs;
    // A month of all of them; before that only the first twenty, or filling would take most of the time.
    const list = [...figures].slice(0, d <= 31 ? machines.length : 20);
    const writes = list.map(([machine, hours]) => ({
      ...{ machine, from, to: from + dayMs, config: 'bench', hours: new Map<number, number>(), cause: 'closed' as const },
      segments: Array.from({ length: 24 }, (_, h) => ({
        ...{ from: from + h * hourMs, to: from + (h + 1) * hourMs },
        sums: hours[h % hours.length] as Sums,
      })),
    }));
    segments += writes.length * 24;
    await ledger.replace(writes, nowMs);
  }
  for (const [i, machine] of [...figures.keys()].entries()) await ledger.setFirst(machine, t0 - (i < 20 ? days : 31) * dayMs);
  return segments;
}

interface Measured {
  readonly cold: number;
  readonly fillMs: number;
  readonly warm: number;
  readonly year: number;
  readonly siteMonth: number;
  readonly samples: number;
  readonly segments: number;
}

async function measure(days: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-bench-'));
  const store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 512, threads: 2 });
  await store.open();
  const state = await openPlantState(folder);
  try {
    const samples = await fill(store);
    const { clock } = createNodeEnv(folder);
    const from = { store, state, plant, clock, log: silentLog(), queries: createGate('queries', { atOnce: 4, queued: 32 }) };
    const kpi = createKpi({ ...from, unknownAfterMs: 900_000, machines: () => [], edges: () => [] });
    const ask = (text: string, fromMs: number, toMs: number, by: 'shift' | 'day' | 'hour') => rowsOf(kpi, text, fromMs, toMs, by);
    const shift = () => ask('site', t0, shiftEnd, 'shift');
    const cold = quantile(await time(3, shift), 0.95);
    const started = performance.now();
    while (await kpi.step(nowMs));
    const fillMs = performance.now() - started;
    const warm = quantile(await time(questions, shift), 0.95);
    const figures = new Map<string, readonly Sums[]>();
    for (const machine of machines) figures.set(machine, await ask(`machine:${machine}`, t0, shiftEnd, 'hour'));
    const segments = await fillLedger(state, figures, days);
    const year = quantile(await time(questions, () => ask('line:L3', t0 - days * dayMs, t0, 'day')), 0.95);
    const siteMonth = quantile(await time(questions, () => ask('site', t0 - 30 * dayMs, t0, 'day')), 0.95);
    return { cold, fillMs, warm, year, siteMonth, samples, segments };
  } finally {
    await state.close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function rowsOf(kpi: Kpi, text: string, fromMs: number, toMs: number, by: 'shift' | 'day' | 'hour') {
  const scope = kpi.service.scope(text);
  if (scope === undefined) throw new Error(`no ${text}`);
  const { rows } = await kpi.service.rows({ scope, fromMs, toMs, by, hasChildren: false, skip: 0, limit: 2000, nowMs });
  if (rows.some(({ parts }) => parts.aptMs === 0)) throw new Error('a row without figures');
  return rows;
}

/** Times of a question in ms, after one that is not counted. */
async function time(count: number, ask: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = -1; i < count; i++) {
    const started = performance.now();
    await ask();
    if (i >= 0) times.push(performance.now() - started);
  }
  return times;
}

export const kpi: Bench = {
  name: 'kpi',
  summary: 'Figures of ISO 22400-2: 100 machines in one shift, and a year of daily OEE of a line',
  async run({ runs, isShort }) {
    const days = isShort ? 60 : 365;
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
        row('100 machines × 1 shift, from the ledger, p95', 'warm', 100),
        row('100 machines × 1 shift, from samples, p95', 'cold'),
        row('writing that shift into the ledger, in all', 'fillMs'),
        row(`${days} days of daily OEE of a line of ${lineLength} machines, p95`, 'year', 300),
        row('30 days of daily OEE of 100 machines, p95', 'siteMonth'),
      ],
      notes: [
        `${all[0]?.samples.toLocaleString('en-GB') ?? ''} samples in one shift of 100 machines, all hot; DuckDB with 2 threads and 512 MB. The ledger holds ${all[0]?.segments.toLocaleString('en-GB') ?? ''} segments and has 256 MB.`,
        'A closed shift is in the ledger an hour after its end at the latest; from samples is what the first minutes after it, or a lost ledger, cost. Every question is answered anew: there is no cache of answers.',
      ],
    };
  },
};
