import { describe, expect, it } from 'vitest';
import { kpiFigures } from './figures.ts';
import { sumParts } from './parts.ts';
import { energySteps, productionSteps, productParts } from './production.ts';
import { lineParts, lineProducts, type MachineHistory, machineParts, metersWh, scopeParts } from './scope.ts';
import { secondsByState, wholeSeconds } from './seconds.ts';
import { machineTimeline } from './time-model.ts';

const hour = 3_600_000;
const shift = { from: 0, to: 8 * hour };

/** Runs `hours` of a shift, then stands; counts `good` and `reject` pieces at `cycleMs`. */
function machine(hours: number, good: number, reject: number, cycleMs: number, kwh?: number): MachineHistory {
  const timeline = machineTimeline(
    [
      { from: shift.from, to: hours * hour, state: 'running', reason: null },
      { from: hours * hour, to: shift.to, state: 'idle', reason: null },
    ],
    [shift],
  );
  const count = (pieces: number) => ({
    readings: [
      { t: -1, v: 0 },
      { t: hour, v: pieces },
    ],
  });
  const history = { good: count(good), reject: count(reject), idealCycleMs: [{ t: 0, v: cycleMs }], products: [{ t: 0, v: 'A' }] };
  return { timeline, production: productionSteps(history), energy: kwh === undefined ? null : energySteps(count(kwh)) };
}

const cutting = machine(6, 950, 50, 20_000, 12);
const packing = machine(4, 940, 10, 12_000);
const parts = [cutting, packing].map((history) => machineParts(history, shift));
const [cut, packed] = parts;

describe('lineParts', () => {
  it('is Σ / Σ of the machines, with the pieces of the last one where they stand in a row', () => {
    if (cut === undefined || packed === undefined) throw new Error('no parts');
    const line = lineParts([
      { parts: cut, isOutput: false },
      { parts: packed, isOutput: true },
    ]);
    expect(line).toMatchObject({ produced: 950, good: 940, scrap: 10, aptMs: 10 * hour, pbtMs: 16 * hour, energyWh: 12_000 });
    expect(kpiFigures(line).oee).toBe((950 * 20_000 + 940 * 12_000) / (16 * hour));
    expect(kpiFigures(line).energyPerPieceWh).toBe(12_000 / 950);
  });

  it('sums all pieces of machines side by side', () => {
    expect(lineParts(parts.map((each) => ({ parts: each, isOutput: true })))).toEqual(sumParts(parts));
    expect(lineParts([])).toEqual(sumParts([]));
  });

  it('takes the meter of the whole before the meters of its machines', () => {
    const line = lineParts(
      parts.map((each) => ({ parts: each, isOutput: true })),
      30_000,
    );
    expect(line.energyWh).toBe(30_000);
    expect(scopeParts([line, ...parts]).energyWh).toBe(42_000);
    expect(scopeParts([line, ...parts], 50_000).energyWh).toBe(50_000);
    expect(metersWh([null, null])).toBeNull();
    expect(metersWh([null, 5, 7])).toBe(12);
  });

  it('keeps ideal times of all machines by product, so that products and the line agree', () => {
    const rows = [cutting, packing].map((history, i) => ({ parts: productParts(history.production ?? [], shift), isOutput: i === 1 }));
    expect(lineProducts(rows)).toEqual([
      {
        product: 'A',
        produced: 950,
        good: 940,
        scrap: 10,
        idealMs: 1000 * 20_000 + 950 * 12_000,
        idealGoodMs: 950 * 20_000 + 940 * 12_000,
        producedWithoutIdeal: 0,
      },
    ]);
  });

  it('says which running time counted nothing', () => {
    const blind = machineParts({ ...cutting, production: null }, shift);
    expect(blind).toMatchObject({ uncountedMs: 6 * hour, produced: 0 });
    expect(kpiFigures(blind)).toMatchObject({ availability: 0.75, oee: null, flags: ['notCounted'] });
  });
});

describe('whole seconds', () => {
  it('by state sum to the whole of the sum', () => {
    const states = { running: 1400, setup: 1400, idle: 1400, fault: 800, maintenance: 0, stopped: 0, notScheduled: 0, unknown: 0 };
    expect(secondsByState(states)).toEqual({ ...states, running: 2, setup: 1, idle: 1, fault: 1 });
    expect(wholeSeconds(1499)).toBe(1);
    expect(wholeSeconds(1500)).toBe(2);
  });
});
