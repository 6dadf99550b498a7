import type { KpiRow } from '@nhip/core/kpi/answers';
import { afterEach, describe, expect, it } from 'vitest';
import { countsOf, statesOf } from '../testing/kpi-day.ts';
import { press } from '../testing/plant.ts';
import { type HistorySample, type Rig, startRig } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** 06:00 in the plant: shift A begins. */
const fromMs = Date.UTC(2025, 10, 19, 23, 0);

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function get<Body>(path: string): Promise<Body> {
  const response = await fetch(`${rig?.url}${path}`);
  const body = await response.json();
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body as Body;
}

/** A shift: stands from the 60th to the 90th minute with a fault, makes a piece every 30 s, one of twenty is bad. */
function shift(): readonly HistorySample[] {
  const toMs = fromMs + 9 * hourMs;
  return [
    ...statesOf(press, fromMs - hourMs, toMs, { 120: ['fault', 'jam'], 150: 'running' }),
    ...countsOf(press, 'Count/Good', { fromMs: fromMs - hourMs, toMs, perStep: 2 }),
    ...countsOf(press, 'Count/Reject', { fromMs: fromMs - hourMs, toMs, stepMs: 10 * minuteMs, perStep: 1 }),
    ...countsOf(press, 'Energy/Import', { fromMs: fromMs - hourMs, toMs, perStep: 0.0125 }),
  ];
}

describe('GET /api/v1/kpi', () => {
  it('tells the figures of a shift, with the sums that they are made from', async () => {
    rig = await startRig({ config: { demo: true }, history: shift() });
    const scope = encodeURIComponent(`machine:${press}`);
    const { rows } = await get<{ rows: KpiRow[] }>(`/api/v1/kpi?scope=${scope}&from=${fromMs}&to=${fromMs + 8 * hourMs}&by=shift`);
    expect(rows).toHaveLength(1);
    const [row] = rows as [KpiRow];
    expect(row.period).toMatchObject({ kind: 'shift', shift: 'A', date: '2025-11-20', from: fromMs, to: fromMs + 8 * hourMs });
    expect(row.parts).toMatchObject({
      ...{ potMs: 8 * hourMs, pbtMs: 8 * hourMs, aptMs: 7.5 * hourMs, adetMs: 0.5 * hourMs, failureEvents: 1, ttrMs: 0.5 * hourMs },
      ...{ produced: 960 + 48, good: 960, scrap: 48, idealMs: 1008 * 10_000, energyWh: 6000 },
    });
    expect(row.figures.availability).toBeCloseTo(7.5 / 8, 9);
    expect(row.figures.oee).toBeCloseTo((960 * 10_000) / (8 * hourMs), 9);
    expect(row.downtime).toEqual({ other: { ms: 0.5 * hourMs, events: 1 } });
    expect(row).toMatchObject({ machines: { total: 1, instrumented: 1 }, revision: 1 });
  });
});
