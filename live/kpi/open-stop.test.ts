import { afterEach, describe, expect, it } from 'vitest';
import { statesOf } from '../testing/kpi-day.ts';
import { kpiPlant, kpiStartMs, saw } from '../testing/kpi-plant.ts';
import { type KpiRig, startKpiRig } from '../testing/kpi-rig.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { writeHistory } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let rig: KpiRig | undefined;
afterEach(() => rig?.close());

describe('a stop that is explained while it lasts', () => {
  it('keeps its reason to its end, which is written down when it is over', async () => {
    const store = createMemoryStore();
    const fromMs = kpiStartMs;
    const untilMs = fromMs + 2 * hourMs;
    await writeHistory(store, statesOf(saw, fromMs, untilMs, { 60: 'stopped' }));
    rig = await startKpiRig({ store, plant: kpiPlant });
    const { downtime } = rig.kpi;
    const id = `${saw}@${fromMs + hourMs}`;
    const [open] = await downtime.change(id, { action: 'reclassify', reason: 'grid_outage' }, 'lan', untilMs);
    expect(open).toMatchObject({ id, to: null, reason: 'grid_outage', corrections: [{ toMs: null, by: 'lan' }] });
    expect(await downtime.closeOpen(untilMs)).toBe(0);

    await writeHistory(store, statesOf(saw, untilMs, untilMs + 4 * hourMs, { 0: 'stopped', 30: 'running', 90: 'stopped', 100: 'running' }));
    const laterMs = untilMs + 4 * hourMs;
    const query = { scope: rig.scope(`machine:${saw}`), fromMs, toMs: laterMs, state: undefined, isUnexplained: false, nowMs: laterMs };
    const reasons = async () => (await downtime.stops(query)).map(({ to, reasonCode }) => [(Number(to) - fromMs) / minuteMs, reasonCode]);
    const before = await reasons();
    expect(before).toEqual([
      [150, 'grid_outage'],
      [220, 'unexplained'],
    ]);
    expect(await downtime.closeOpen(laterMs)).toBe(1);
    expect(await downtime.closeOpen(laterMs)).toBe(0);
    expect(await reasons()).toEqual(before);
    expect(await downtime.history(id, laterMs)).toMatchObject([
      { by: 'lan', toMs: null, isHeld: false },
      { by: 'nhip', toMs: fromMs + 150 * minuteMs, isHeld: true },
    ]);
  });
});
