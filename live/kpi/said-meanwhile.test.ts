import { afterEach, describe, expect, it } from 'vitest';
import { statesOf } from '../testing/kpi-day.ts';
import { kpiPlant, kpiStartMs, saw } from '../testing/kpi-plant.ts';
import { type KpiRig, startKpiRig } from '../testing/kpi-rig.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { writeHistory } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const scope = `machine:${saw}`;

let rig: KpiRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** A plant in which `during` does something when the next question for states is answered and what people said is read already. */
async function started() {
  const memory = createMemoryStore();
  let meanwhile: (() => Promise<unknown>) | undefined;
  const store: typeof memory = {
    ...memory,
    async changes(...query) {
      const found = await memory.changes(...query);
      const work = meanwhile;
      meanwhile = undefined;
      await work?.();
      return found;
    },
  };
  const started = await startKpiRig({ store, plant: kpiPlant });
  rig = started;
  const explain = (atMs: number, reason: string, nowMs: number) =>
    started.kpi.downtime.change(`${saw}@${atMs}`, { action: 'reclassify', reason }, 'lan', nowMs);
  return { store: memory, rig: started, explain, during: (work: () => Promise<unknown>) => (meanwhile = work) };
}

describe('what somebody says of a stop', () => {
  it('reaches the figures when the day is being computed for what was said before', async () => {
    const { store, rig, explain, during } = await started();
    const nowMs = kpiStartMs + 8 * hourMs;
    const stopMs = kpiStartMs + hourMs;
    await writeHistory(store, statesOf(saw, kpiStartMs, nowMs, { 60: 'stopped', 90: 'running' }));
    await rig.work(nowMs);
    await explain(stopMs, 'material_shortage', nowMs);
    during(() => explain(stopMs, 'grid_outage', nowMs));
    await rig.kpi.step(nowMs);
    await rig.work(nowMs);
    const [row] = await rig.rows(scope, kpiStartMs, kpiStartMs + 3 * hourMs, nowMs);
    expect(row?.downtime).toEqual({ grid_outage: { ms: 30 * minuteMs, events: 1 } });
    expect(rig.state.ledger.dirty()).toEqual([]);
  });

  it('reaches the figures when the hour is being closed', async () => {
    const { store, rig, explain, during } = await started();
    const earlyMs = kpiStartMs + 3 * hourMs + 20 * minuteMs;
    const nowMs = earlyMs + hourMs;
    await writeHistory(store, statesOf(saw, kpiStartMs, earlyMs, {}));
    await rig.work(earlyMs);
    await writeHistory(store, statesOf(saw, earlyMs, nowMs, { 10: 'stopped', 30: 'running' }));
    during(() => explain(earlyMs + 10 * minuteMs, 'grid_outage', nowMs));
    await rig.work(nowMs);
    const [row] = await rig.rows(scope, kpiStartMs, kpiStartMs + 4 * hourMs, nowMs);
    expect(row?.downtime).toEqual({ grid_outage: { ms: 20 * minuteMs, events: 1 } });
    expect(rig.state.ledger.dirty()).toEqual([]);
  });
});
