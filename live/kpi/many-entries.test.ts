import { afterEach, describe, expect, it } from 'vitest';
import { statesOf } from '../testing/kpi-day.ts';
import { kpiPlant, kpiStartMs, saw } from '../testing/kpi-plant.ts';
import { type KpiRig, startKpiRig } from '../testing/kpi-rig.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { writeHistory } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const nowMs = kpiStartMs + 7 * hourMs;
const manyEntries = 200;
/** Stops from the first and the fifth hour on, half an hour each. */
const [first, later] = [kpiStartMs + hourMs, kpiStartMs + 5 * hourMs];
const entry = { machine: saw, by: 'lan', atMs: nowMs, kind: 'reclassify', fromMs: first, reason: 'jam' } as const;

let rig: KpiRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function started() {
  const store = createMemoryStore();
  await writeHistory(store, statesOf(saw, kpiStartMs, nowMs, { 60: 'stopped', 90: 'running', 300: 'stopped', 330: 'running' }));
  const started = await startKpiRig({ store, plant: kpiPlant });
  rig = started;
  const explain = (atMs: number) => started.kpi.downtime.change(`${saw}@${atMs}`, { action: 'reclassify', reason: 'wait' }, 'lan', nowMs);
  return { explain, corrections: started.state.corrections };
}

describe('a stop behind many entries on other stops of the machine', () => {
  it('can be explained, but none that has as many of its own', async () => {
    const { explain, corrections } = await started();
    for (let i = 0; i < manyEntries; i++) await corrections.append({ ...entry, toMs: first + 30 * minuteMs }, { from: 0, to: 0 });
    expect(await explain(later)).toMatchObject([{ reason: 'wait' }]);
    await expect(explain(first)).rejects.toMatchObject({ status: 409, message: expect.stringContaining('200 entries') });
  });

  it('can be explained when those were explained while they lasted, or their reasons were taken back', async () => {
    const { explain, corrections } = await started();
    for (let i = 0; i < manyEntries; i++) {
      const { id } = await corrections.append({ ...entry, toMs: null }, { from: 0, to: 0 });
      const { machine, by, atMs } = entry;
      if (i % 2 === 0) await corrections.append({ machine, by, atMs, kind: 'withdraw', replaces: id }, { from: 0, to: 0 });
      else await corrections.append({ ...entry, toMs: first + 30 * minuteMs, replaces: id }, { from: 0, to: 0 });
    }
    expect(await explain(later)).toMatchObject([{ reason: 'wait' }]);
  });
});
