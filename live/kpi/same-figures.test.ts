import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { energySteps, productionSteps, productParts, type Timed } from '@nhip/core/kpi/production';
import { machineParts } from '@nhip/core/kpi/scope';
import type { Span } from '@nhip/core/kpi/span';
import { downtimeByReason } from '@nhip/core/kpi/stops';
import type { Sums } from '@nhip/core/kpi/sums';
import { machineTimeline } from '@nhip/core/kpi/time-model';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { HistoryStore } from '@nhip/stores/history-store';
import { influxdbConfig } from '@nhip/stores/influxdb/config';
import { createInfluxdbStore } from '@nhip/stores/influxdb/influxdb-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasInfluxd, type Influxd, startInfluxd } from '../../test/harness/influxd.ts';
import { readStates } from '../state-history.ts';
import { kpiHistory, kpiPlant, kpiStartMs, meter, packer, saw } from '../testing/kpi-plant.ts';
import { startKpiRig } from '../testing/kpi-rig.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { type HistorySample, writeHistory } from '../testing/rig.ts';
import { createMachineReader } from './machine-history.ts';
import { createPlantTime, spansBetween } from './plant-time.ts';
import type { Member } from './scopes.ts';

const hourMs = 3_600_000;
const fromMs = kpiStartMs + 2 * hourMs;
const toMs = fromMs + 8 * hourMs;
const nowMs = toMs + hourMs;
const unknownAfterMs = 900_000;
const time = createPlantTime(kpiPlant);
const machines: readonly Member[] = [
  { machine: saw, role: 'machine', isOutput: false },
  { machine: packer, role: 'machine', isOutput: true },
];
const members: readonly Member[] = [...machines, { machine: meter, role: 'meter', isOutput: false }];
const corrections = { touching: async () => new Map(), append: () => Promise.reject(new Error('none')), open: async () => [] };

let folder: string;
let influxd: Influxd | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-same-'));
  if (hasInfluxd) influxd = await startInfluxd(folder);
});
afterAll(async () => {
  await influxd?.stop();
  rmSync(folder, { recursive: true });
});

async function filled(store: HistoryStore, history: readonly HistorySample[]): Promise<HistoryStore> {
  await store.open();
  await writeHistory(store, history);
  return store;
}

/** Sums of a machine by the engine alone, from every sample there is. */
async function fromSamples(history: readonly HistorySample[], machine: string, span: Span): Promise<Sums> {
  const list = (metric: string): readonly Timed<number>[] =>
    history.flatMap(([id, name, t, v]) => (id === machine && name === metric ? [{ t, v: Number(v) }] : []));
  const store = await filled(createMemoryStore(), history);
  const states = await readStates(store, [machine], { fromMs: fromMs - hourMs, toMs: nowMs, unknownAfterMs });
  const timeline = machineTimeline(states.get(machine) ?? [], time.planned({ from: fromMs, to: nowMs }), time.rules);
  const products = history.flatMap(([id, name, t, v]) => (id === machine && name === 'Job/Product' ? [{ t, v: String(v) }] : []));
  const production = productionSteps({
    good: { readings: list('Count/Good') },
    reject: { readings: list('Count/Reject') },
    idealCycleMs: list('Cycle/IdealMs'),
    products,
  });
  return {
    parts: machineParts({ timeline, production, energy: null }, span),
    downtime: downtimeByReason(timeline, span, time.rules.reasons),
    products: productParts(production ?? [], span),
  };
}

describe('figures', () => {
  const history = kpiHistory(kpiStartMs, nowMs, 21);

  it('are those that the engine makes of every sample', async () => {
    const rig = await startKpiRig({ store: await filled(createMemoryStore(), history), plant: kpiPlant });
    await rig.work(nowMs);
    for (const { machine } of machines) {
      const rows = await rig.rows(`machine:${machine}`, fromMs, toMs, nowMs, { by: 'hour' });
      for (const { period, parts, downtime, products } of rows) {
        const expected = await fromSamples(history, machine, period);
        expect({ parts, downtime, products: products.map(({ rework: _, ...row }) => row) }).toEqual(expected);
      }
    }
    const [metered] = await rig.rows(`machine:${meter}`, fromMs, toMs, nowMs);
    const readings = history.flatMap(([machine, , t, v]) => (machine === meter ? [{ t, v: Number(v) }] : []));
    const inside = energySteps({ readings }).filter(({ t }) => t >= fromMs && t < toMs);
    expect(metered?.parts.energyWh).toBe(inside.reduce((sum, { wh }) => sum + wh, 0));
    await rig.close();
  });

  it('are the same from DuckDB and from InfluxDB', async () => {
    const duckdb = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1 });
    const stores = [createMemoryStore(), duckdb];
    if (influxd !== undefined)
      stores.push(createInfluxdbStore(influxdbConfig.parse({ type: 'influxdb', url: influxd.url, database: 'same', ...influxd.access })));
    const answers = [];
    for (const store of stores) {
      const rig = await startKpiRig({ store: await filled(store, history), plant: kpiPlant });
      const cold = await rig.rows('line:L1', fromMs, toMs, nowMs, { by: 'hour', hasChildren: true });
      await rig.work(nowMs);
      const kept = await rig.rows('line:L1', fromMs, toMs, nowMs, { by: 'hour', hasChildren: true });
      answers.push([cold, kept].map((rows) => rows.map(({ scope, parts, downtime, products }) => ({ scope, parts, downtime, products }))));
      await rig.close();
      await store.close();
    }
    const [first, ...others] = answers;
    expect(first?.[1]).toEqual(first?.[0]);
    for (const other of others) expect(other).toEqual(first);
    expect(answers).toHaveLength(hasInfluxd ? 3 : 2);
  });

  it('are the same whether every reading of a counter is read or few', async () => {
    const toMs = fromMs + 3 * hourMs;
    const fast: HistorySample[] = [
      [saw, 'State', fromMs - 1000, 'running'],
      [saw, 'Cycle/IdealMs', fromMs - 1000, 500],
      [saw, 'Job/Product', fromMs - 500, 'P1'],
      [saw, 'Job/Product', fromMs + 70 * 60_000 + 1234, 'P2'],
      [meter, 'Energy/Import', fromMs - 1000, 99.9995],
    ];
    for (let t = fromMs, n = 60_000; t < toMs; t += 1000) {
      n = t === fromMs + 3_700_000 || t === fromMs + 2 * hourMs ? 3 : n + ((t / 1000) % 3);
      fast.push([saw, 'Count/Good', t, n], [meter, 'Energy/Import', t, 100 + (t - fromMs) * 1.2345e-6]);
      if (t % 7000 === 0) fast.push([saw, 'Count/Reject', t, (t - fromMs) / 7000]);
    }
    const store = await filled(createMemoryStore(), fast);
    const cuts = time.cuts({ from: fromMs, to: toMs });
    const who = members.filter(({ machine }) => machine !== packer);
    const answers = [];
    for (const [maxReadings, given] of [
      [200_000, cuts],
      [2000, cuts],
      [2000, undefined],
    ] as const) {
      const reader = createMachineReader({ store, time, plant: kpiPlant, corrections, unknownAfterMs, maxReadings });
      const read = await reader.read(who, { from: fromMs, to: toMs }, toMs, given);
      answers.push([...read].map(([machine, { sums }]) => [machine, spansBetween(cuts).map(sums)]));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    const [, spans] = answers[0]?.[0] as [string, readonly Sums[]];
    expect(spans.flatMap(({ products }) => products.map(({ product }) => product))).toEqual(['P1', 'P1', 'P2', 'P2']);
  });
});
