import type { KpiRow } from '@nhip/core/kpi/answers';
import { expectedMs } from '@nhip/core/kpi/parts';
import type { PeriodKind } from '@nhip/core/kpi/periods';
import { addSums } from '@nhip/core/kpi/sums';
import { afterEach, describe, expect, it } from 'vitest';
import { countsOf } from '../testing/kpi-day.ts';
import { kpiHistory, kpiPlant, kpiStartMs, meter, packer, saw } from '../testing/kpi-plant.ts';
import { type KpiRig, startKpiRig } from '../testing/kpi-rig.ts';
import { createMemoryPlace, createMemoryStore } from '../testing/memory-store.ts';
import { type HistorySample, writeHistory } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const fromMs = kpiStartMs;
const toMs = fromMs + 2 * dayMs;
const nowMs = toMs + 2 * hourMs;
const scopes = ['site', 'line:L1', `machine:${saw}`, `machine:${packer}`, `machine:${meter}`];

let rig: KpiRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function started(history: readonly HistorySample[], plant = kpiPlant) {
  const store = createMemoryStore();
  await writeHistory(store, history);
  rig = await startKpiRig({ store, plant });
  return { store, rig };
}

/** What a restatement would show. */
function figures(rows: readonly KpiRow[]) {
  return rows.map(({ scope, period, parts, downtime, products }) => ({ scope: scope.id, period, parts, downtime, products }));
}

describe('the ledger', () => {
  it('gives the figures that the samples give, for every scope and period', async () => {
    const { rig } = await started(kpiHistory(fromMs - hourMs, nowMs, 7));
    const ask = async (by?: PeriodKind, from = fromMs, to = toMs) =>
      Promise.all(scopes.map(async (scope) => figures(await rig.rows(scope, from, to, nowMs, { ...(by && { by }), hasChildren: true }))));
    const odd = [undefined, fromMs + 7 * hourMs + 123_456, toMs - 3 * hourMs - 777] as const;
    const before = [await ask('hour'), await ask('shift'), await ask('day'), await ask(...odd)];
    expect(rig.kpi.families()[0]?.samples[0]?.value).toBe(0);
    await rig.work(nowMs);
    // Two days of 24 hours and five cuts within hours, an hour before and what is closed since, for two machines and a meter.
    expect(rig.kpi.families()[0]?.samples[0]?.value).toBeGreaterThan(150);
    const after = [await ask('hour'), await ask('shift'), await ask('day'), await ask(...odd)];
    expect(after).toEqual(before);
  });

  it('adds up: hours to days, machines to the line, which has the pieces of its last machine and the energy of its meter', async () => {
    const { rig } = await started(kpiHistory(fromMs, nowMs, 11));
    await rig.work(nowMs);
    const hours = await rig.rows('line:L1', fromMs, toMs, nowMs, { by: 'hour' });
    expect(hours).toHaveLength(48);
    const [line, first, last] = await rig.rows('line:L1', fromMs, toMs, nowMs, { hasChildren: true });
    expect(addSums(hours).parts).toEqual(line?.parts);
    expect(addSums(hours).products).toEqual(line?.products.map(({ rework: _, ...row }) => row));
    expect(expectedMs(line?.parts as KpiRow['parts'])).toBe(2 * 2 * dayMs);
    expect(line?.parts).toMatchObject({
      aptMs: (first?.parts.aptMs ?? 0) + (last?.parts.aptMs ?? 0),
      produced: last?.parts.produced,
      idealMs: (first?.parts.idealMs ?? 0) + (last?.parts.idealMs ?? 0),
    });
    const [metered] = await rig.rows(`machine:${meter}`, fromMs, toMs, nowMs);
    expect(line?.parts.energyWh).toBe(metered?.parts.energyWh);
    expect(line?.parts.energyWh).toBeGreaterThan(1000);
    expect(line?.machines).toEqual({ total: 2, instrumented: 2 });
    const [site] = await rig.rows('site', fromMs, toMs, nowMs);
    expect(site?.parts).toEqual(line?.parts);
  });

  it('restates what late samples change, once, and keeps what was said before', async () => {
    const history = kpiHistory(fromMs, nowMs, 3);
    const late = history.filter(
      ([machine, metric, t]) => machine === saw && metric === 'Count/Good' && t >= fromMs + 20 * hourMs && t < fromMs + 22 * hourMs,
    );
    const { store, rig } = await started(history.filter((sample) => !late.includes(sample)));
    await rig.work(nowMs);
    const ask = () => rig.rows(`machine:${saw}`, fromMs, toMs, nowMs, { by: 'hour' });
    const before = await ask();
    expect(before.every(({ revision, isOpen }) => revision === 1 && !isOpen)).toBe(true);

    await writeHistory(store, late);
    const laterMs = nowMs + 10 * minuteMs;
    await rig.work(laterMs);
    const after = await ask();
    const truth = await (await startedApart(history)).rows(`machine:${saw}`, fromMs, toMs, nowMs, { by: 'hour' });
    expect(figures(after)).toEqual(figures(truth));
    const changed = after.filter((row, i) => row.fingerprint !== before[i]?.fingerprint);
    expect(changed.length).toBeGreaterThanOrEqual(1);
    expect(changed.length).toBeLessThanOrEqual(3);
    expect(after.filter(({ revision }) => revision > 1)).toEqual(changed);
    expect(rig.state.ledger.stats().restated.lateData).toBeGreaterThanOrEqual(changed.length);
    const [day] = await rig.rows(`machine:${saw}`, fromMs, fromMs + dayMs, nowMs, { by: 'day' });
    expect(day?.revision).toBe(1 + changed.reduce((sum, row) => sum + row.revision - 1, 0));

    await rig.work(laterMs + 10 * minuteMs);
    expect((await ask()).map(({ revision }) => revision)).toEqual(after.map(({ revision }) => revision));
  });

  it('restates what another plant model changes, and nothing for a holiday to come', async () => {
    const store = createMemoryStore();
    await writeHistory(store, kpiHistory(fromMs, nowMs, 5));
    rig = await startKpiRig({ store, plant: kpiPlant });
    await rig.work(nowMs);
    const ask = (each: KpiRig) => each.rows('line:L1', fromMs, toMs, nowMs, { by: 'shift' });
    const before = await ask(rig);
    const { dataDir } = rig;
    await rig.close({ keepFiles: true });

    const exceptions = [{ date: '2025-12-31', name: { vi: 'Nghỉ', en: 'Holiday' }, shifts: [] }];
    rig = await startKpiRig({ store, plant: { ...kpiPlant, exceptions }, dataDir });
    await rig.work(nowMs);
    expect(await ask(rig)).toEqual(before);
    expect(rig.state.ledger.dirty()).toEqual([]);
    await rig.close({ keepFiles: true });

    const machines = {
      ...kpiPlant.machines,
      [packer]: { ...(kpiPlant.machines[packer] as (typeof kpiPlant.machines)[string]), rolloverAt: { 'Count/Good': 5000 } },
    };
    const plant = { ...kpiPlant, machines, microStopMs: 600_000, shifts: kpiPlant.shifts.map((shift) => ({ ...shift, breaks: [] })) };
    rig = await startKpiRig({ store, plant, dataDir });
    await rig.work(nowMs);
    const after = await ask(rig);
    expect(after.every(({ revision }) => revision > 1)).toBe(true);
    expect(figures(after)).toEqual(
      figures(await (await startedApart(kpiHistory(fromMs, nowMs, 5), plant)).rows('line:L1', fromMs, toMs, nowMs, { by: 'shift' })),
    );
    expect(rig.state.ledger.dirty()).toEqual([]);
  });

  it('keeps figures when the samples are no longer kept', async () => {
    const place = createMemoryPlace();
    const store = createMemoryStore(place);
    await writeHistory(store, kpiHistory(fromMs, nowMs, 9));
    rig = await startKpiRig({ store, plant: kpiPlant });
    await rig.work(nowMs);
    const before = await rig.rows('site', fromMs, toMs, nowMs, { by: 'day' });
    for (const [i, rows] of place.rows.entries()) place.rows[i] = rows.filter(({ t }) => t >= toMs);
    const { dataDir } = rig;
    await rig.close({ keepFiles: true });

    rig = await startKpiRig({ store, plant: { ...kpiPlant, microStopMs: 1 }, dataDir });
    await rig.work(nowMs + 10 * minuteMs);
    expect(await rig.rows('site', fromMs, toMs, nowMs, { by: 'day' })).toEqual(before);
    expect(rig.state.ledger.dirty()).toEqual([]);
  });

  it('refuses a past that it has not computed, and computes it', async () => {
    const long = [[saw, 'State', fromMs - 70 * dayMs, 'running'] as const, ...kpiHistory(fromMs, nowMs, 1)];
    const { rig } = await started(long);
    await rig.kpi.step(nowMs);
    await expect(rig.rows('line:L1', fromMs - 65 * dayMs, toMs, nowMs, { by: 'day' })).rejects.toMatchObject({ status: 503 });
    await rig.work(nowMs);
    expect(await rig.rows('line:L1', fromMs - 65 * dayMs, toMs, nowMs, { by: 'day' })).toHaveLength(67);
  });

  it('answers for a long past of a device that tells neither states nor counters, without reading it', async () => {
    const memory = createMemoryStore();
    const asked: string[] = [];
    const buckets: typeof memory.buckets = (query) => {
      asked.push(query.metric);
      return memory.buckets(query);
    };
    const longAgoMs = toMs - 180 * dayMs;
    await writeHistory(memory, countsOf(saw, 'Power/Active', { fromMs: longAgoMs, toMs: nowMs, stepMs: 6 * hourMs, perStep: 1 }));
    rig = await startKpiRig({ store: { ...memory, buckets }, plant: kpiPlant });
    await rig.work(nowMs);
    const days = await rig.rows(`machine:${saw}`, toMs - 170 * dayMs, toMs, nowMs, { by: 'day' });
    expect(days).toHaveLength(170);
    expect(days.map(({ parts }) => parts.statesMs.unknown)).toEqual(days.map(() => dayMs));
    expect(asked).toEqual([]);
  });

  it('begins with the first piece that was counted, whether the machine tells states or not', async () => {
    const { rig } = await started([
      ...countsOf(saw, 'Count/Good', { fromMs: fromMs - 100 * dayMs, toMs: nowMs, stepMs: 6 * hourMs, perStep: 1 }),
      ...countsOf(packer, 'Count/Good', { fromMs: fromMs - 100 * dayMs, toMs: nowMs, stepMs: 6 * hourMs, perStep: 1 }),
      [packer, 'State', fromMs, 'running'],
    ]);
    await rig.work(nowMs);
    const days = await rig.rows('line:L1', fromMs - 95 * dayMs, fromMs, nowMs, { by: 'day' });
    expect(days.map(({ parts }) => parts.produced)).toEqual(days.map(() => 4));
    for (const machine of [saw, packer]) {
      const { firstMs, stored } = rig.state.ledger.machine(machine);
      expect([firstMs, stored?.from]).toEqual([fromMs - 100 * dayMs, fromMs - 100 * dayMs]);
    }
  });

  it('has 25 hours on the day on which the clocks go back', async () => {
    const plant = { ...kpiPlant, timeZone: 'Europe/Berlin', dayStart: '00:00' };
    const day = Date.parse('2025-10-26T00:00:00+02:00');
    const { rig } = await started(kpiHistory(day - 3 * hourMs, day + 30 * hourMs, 2), plant);
    const now = day + 30 * hourMs;
    await rig.work(now);
    const hours = await rig.rows(`machine:${saw}`, day, day + 25 * hourMs, now, { by: 'hour' });
    expect(hours).toHaveLength(25);
    const [whole] = await rig.rows(`machine:${saw}`, day + hourMs, day + 2 * hourMs, now, { by: 'day' });
    expect(whole?.period).toMatchObject({ from: day, to: day + 25 * hourMs, date: '2025-10-26' });
    expect(addSums(hours).parts).toEqual(whole?.parts);
  });
});

/** Figures from samples alone. */
async function startedApart(history: readonly HistorySample[], plant = kpiPlant): Promise<KpiRig> {
  const store = createMemoryStore();
  await writeHistory(store, history);
  const apart = await startKpiRig({ store, plant });
  const close = rig?.close;
  const first = rig;
  rig = {
    ...(first as KpiRig),
    async close(options) {
      await apart.close();
      await close?.(options);
    },
  };
  return apart;
}
