import { machineStates } from '@nhip/core/wire/vocabulary';
import type { PlantFigures, SiteFigures } from '@nhip/sector/gateway/figures';
import { describe, expect, it, vi } from 'vitest';
import { findFactory, simulatedFactories } from './factories.ts';
import { createSimulatedFigures } from './simulated-figures.ts';
import { createSimulatedWeeks, type SimulatedDay } from './simulated-weeks.ts';

// Days of simulation, on a computer that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Tuesday, when the day of the books begins. */
const tuesdayMs = Date.parse('2026-11-17T06:00:00+07:00');
const mondayMs = tuesdayMs - dayMs;

function dayOf(figures: PlantFigures, fromMs: number): Promise<SiteFigures> {
  return figures.site({ fromMs, toMs: fromMs + dayMs });
}

describe.each(simulatedFactories)('figures of $id', ({ definition, seed, products }) => {
  const figures = createSimulatedFigures(definition, seed);
  const machines = definition.machines.filter(({ role }) => role === 'machine').length;

  it('are the same however they are asked for, and another plant has others', async () => {
    const monday = await dayOf(figures, mondayMs);
    const other = createSimulatedFigures(definition, seed);
    const tuesday = await dayOf(other, tuesdayMs);
    expect(await dayOf(other, mondayMs)).toEqual(monday);
    expect(await dayOf(figures, tuesdayMs)).toEqual(tuesday);
    expect(tuesday).not.toEqual(monday);
    expect(await dayOf(createSimulatedFigures(definition, seed + 1), mondayMs)).not.toEqual(monday);
  });

  it('have states that add up to machines × time, and pieces, energy and reasons of a day of work', async () => {
    const { parts, output, energy, downtime, machinesInstrumented } = await dayOf(figures, tuesdayMs);
    expect(machinesInstrumented).toBe(machines);
    const { statesMs } = parts;
    expect(machineStates.reduce((sum, state) => sum + statesMs[state], 0)).toBe(machines * dayMs);
    expect(statesMs.unknown).toBe(0);
    expect(parts.aptMs).toBe(statesMs.running);
    expect(parts.produced).toBeGreaterThan(1_000);
    expect(output.reduce((sum, { produced }) => sum + produced, 0)).toBe(parts.produced);
    expect(output.reduce((sum, { idealMs = 0 }) => sum + idealMs, 0)).toBe(parts.idealMs);
    for (const { product } of output) expect(products).toHaveProperty([product ?? 'none']);
    expect(Number(energy[0]?.quantity) * 1000).toBeCloseTo(parts.energyWh ?? Number.NaN, 6);
    expect(parts.energyWh).toBeGreaterThan(500_000);
    expect(downtime.map(({ reason }) => reason)).toContain('breakdown');
  });

  it('of hours add up to the day', async () => {
    const days: SimulatedDay[] = [];
    for await (const day of createSimulatedWeeks(definition, seed).upTo({ from: tuesdayMs, to: tuesdayMs + dayMs })) days.push(day);
    expect(days.map(({ from, hours }) => [from, hours.length])).toEqual([
      [mondayMs, 24],
      [tuesdayMs, 24],
    ]);
    for (const { from, to, siteSums } of days) {
      const whole = siteSums({ from, to });
      const { parts, downtime } = await dayOf(figures, from);
      expect(parts).toEqual(whole.parts);
      expect(Object.fromEntries(downtime.map(({ reason, ...sums }) => [reason, sums]))).toEqual(whole.downtime);
    }
  });

  it('are not told of a part of an hour', async () => {
    await expect(figures.site({ fromMs: tuesdayMs, toMs: tuesdayMs + hourMs / 2 })).rejects.toThrow(/whole hours/);
  });
});

it('nothing shows where one week is joined to the next: the plant rests', async () => {
  const { definition, seed } = findFactory('bac-ninh');
  const figures = createSimulatedFigures(definition, seed);
  const sunday = await dayOf(figures, mondayMs - dayMs);
  const lastHour = await figures.site({ fromMs: mondayMs - hourMs, toMs: mondayMs });
  const firstHour = await figures.site({ fromMs: mondayMs, toMs: mondayMs + hourMs });
  expect(sunday.parts.produced).toBe(0);
  expect(lastHour.parts.statesMs.notScheduled).toBe(6 * hourMs);
  expect(firstHour.parts.statesMs.setup).toBeGreaterThan(0);
  expect(firstHour.parts.produced).toBeGreaterThan(0);
});
