import type { Value } from '@nhip/core/wire/sample';
import { isMachineState } from '@nhip/core/wire/vocabulary';
import { describe, expect, it } from 'vitest';
import { generateHistory } from './history.ts';
import { hoaLac } from './plants/hoa-lac.ts';
import { createPlant } from './plants/plant.ts';

const fromMs = Date.parse('2026-11-16T00:00:00+07:00');
const dayMs = 86_400_000;

describe('generateHistory', () => {
  it('emits a day as the edge agents would have reported it, and ends where the simulation goes on', async () => {
    const plant = createPlant(hoaLac, 42);
    const last = new Map<string, { t: number; v: Value }>();
    const times = { total: 0, pauses: 0 };
    const snapshot = await generateHistory(
      plant,
      fromMs,
      fromMs + dayMs,
      (machine, metric, t, v) => {
        const key = `${machine} ${metric}`;
        const before = last.get(key);
        if (before !== undefined && t <= before.t) expect.fail(`${key} goes back`);
        if (before !== undefined && metric.startsWith('Count/') && Number(v) < Number(before.v)) expect.fail(`${key} counts back`);
        if (before?.v === v && metric !== 'State') expect.fail(`${key} repeats ${String(v)}`);
        if (metric === 'State' && !isMachineState(v)) expect.fail(`${key} = ${String(v)}`);
        last.set(key, { t, v });
        times.total++;
      },
      async () => {
        times.pauses++;
      },
    );
    expect(times.total).toBeGreaterThan(50_000);
    expect(times.total * 7).toBeLessThan(3_000_000);
    expect(times.pauses).toBeGreaterThanOrEqual(24);

    const expected = hoaLac.machines.flatMap((spec) => {
      const id = `hoalac/${spec.edge}/${spec.id}`;
      return [`${id} Connection`, ...spec.kind.points.map((point) => `${id} ${point.metric}`)];
    });
    expect([...last.keys()].sort()).toEqual(expected.sort());
    expect(last.get('hoalac/edge-cnc/EP-01 Connection')).toEqual({ t: fromMs, v: 'online' });
    expect(Number(last.get('hoalac/edge-cnc/EP-01 Count/Good')?.v)).toBeGreaterThan(1_500);

    const next = createPlant(hoaLac, 1);
    next.restore(snapshot);
    expect(next.snapshot()).toEqual(plant.snapshot());
    for (const { spec, machine } of next.machines) {
      const reported = last.get(`hoalac/${spec.edge}/${spec.id} Count/Good`);
      if (reported !== undefined) expect(machine.values()['Count/Good']).toBe(reported.v);
    }
  });
});
