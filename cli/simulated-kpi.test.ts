import { secondsByState } from '@nhip/core/kpi/seconds';
import type { Value } from '@nhip/core/wire/sample';
import { machineStates } from '@nhip/core/wire/vocabulary';
import { startKpiRig } from '@nhip/live/testing/kpi-rig';
import { createMemoryStore } from '@nhip/live/testing/memory-store';
import { type HistorySample, writeHistory } from '@nhip/live/testing/rig';
import { generateHistory } from '@nhip/simulators/history';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { createPlant } from '@nhip/simulators/plants/plant';
import { plantModel } from '@nhip/simulators/plants/plant-model';
import { describe, expect, it } from 'vitest';

const hourMs = 3_600_000;
/** Monday 10:00 in Hòa Lạc: a break begins half way. */
const beginMs = Date.parse('2026-11-16T09:00:00+07:00');
const fromMs = beginMs + hourMs;
const toMs = fromMs + 2 * hourMs;
const outages = { meanBetweenMs: 1e15, meanLengthMs: 1 };

/** What the simulation said of a series: what held at `fromMs`, then every change before `toMs`. */
function said(journal: readonly HistorySample[], machine: string, metric: string): readonly { t: number; v: Value }[] {
  const all = journal.filter(([id, name, t]) => id === machine && name === metric && t < toMs);
  const before = all.filter(([, , t]) => t < fromMs).slice(-1);
  return [...before, ...all.filter(([, , t]) => t >= fromMs)].map(([, , t, v]) => ({ t, v }));
}

describe('figures of the simulated plant', () => {
  it('are what its machines did: states to the second, pieces to the piece, energy to the Wh', async () => {
    const plant = createPlant({ ...hoaLac, outages }, 42);
    const journal: HistorySample[] = [];
    await generateHistory(plant, beginMs, toMs + hourMs, (machine, metric, t, v) => journal.push([machine, metric, t, v]));
    const store = createMemoryStore();
    await writeHistory(store, journal);
    const model = plantModel(hoaLac);
    const rig = await startKpiRig({ store, plant: model });
    const nowMs = toMs + hourMs;
    await rig.work(nowMs);
    let good = 0;
    for (const [machine, { role }] of Object.entries(model.machines)) {
      const [row] = await rig.rows(`machine:${machine}`, fromMs, toMs, nowMs);
      const energy = said(journal, machine, 'Energy/Import').map(({ v }) => Math.round(Number(v) * 1000));
      expect(row?.parts.energyWh, machine).toBe(energy.length === 0 ? null : (energy.at(-1) ?? 0) - (energy[0] ?? 0));
      if (role === 'meter' || row === undefined) continue;

      const states = said(journal, machine, 'State');
      const lengths = Object.fromEntries(machineStates.map((state) => [state, 0])) as Record<(typeof machineStates)[number], number>;
      for (const [i, { t, v }] of states.entries()) {
        lengths[v as (typeof machineStates)[number]] += (states[i + 1]?.t ?? toMs) - Math.max(t, fromMs);
      }
      // The calendar makes `notScheduled` of what does not run in a break: what it did there is not told apart here.
      const { running, unknown } = row.parts.statesMs;
      expect([running, unknown], machine).toEqual([lengths.running, 0]);
      expect(Object.values(secondsByState(row.parts.statesMs)).reduce((a, b) => a + b, 0)).toBe((toMs - fromMs) / 1000);

      const counts = said(journal, machine, 'Count/Good').map(({ v }) => Number(v));
      expect(row.parts.good, machine).toBe(counts.length === 0 ? 0 : (counts.at(-1) ?? 0) - (counts[0] ?? 0));
      good += row.parts.good;
    }
    expect(good).toBeGreaterThan(1000);
    const [site] = await rig.rows('site', fromMs, toMs, nowMs);
    expect(site?.machines).toEqual({ total: 12, instrumented: 12 });
    expect(site?.figures.oee).toBeGreaterThan(0.2);
    const [mainMeter] = await rig.rows('machine:hoalac/edge-pack/CT-01', fromMs, toMs, nowMs);
    expect(site?.parts.energyWh).toBe(mainMeter?.parts.energyWh);
    await rig.close();
  });
});
