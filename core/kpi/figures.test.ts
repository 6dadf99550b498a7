import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kpiFigures } from './figures.ts';
import { addParts, emptyParts, expectedMs, type KpiParts, sumParts, toThousandths } from './parts.ts';

const second = 1000;

/** A plant day with every state, an hour unit by unit; the sums of a published example of a production report. */
const plantDay: KpiParts = {
  ...emptyParts(),
  statesMs: {
    running: 864_000 * second,
    setup: 72_000 * second,
    idle: 108_000 * second,
    fault: 72_000 * second,
    maintenance: 36_000 * second,
    stopped: 36_000 * second,
    notScheduled: 504_000 * second,
    unknown: 36_000 * second,
  },
  potMs: 1_224_000 * second,
  pbtMs: 1_152_000 * second,
  aptMs: 864_000 * second,
  setupMs: 72_000 * second,
  auptMs: 936_000 * second,
  adetMs: 72_000 * second,
  adotMs: 144_000 * second,
  plannedMaintenanceMs: 36_000 * second,
  unknownPlannedMs: 36_000 * second,
  failureEvents: 6,
  ttrMs: 72_000 * second,
  tbfMs: 936_000 * second,
  produced: 19_800,
  good: 19_404,
  scrap: 198,
  rework: 198,
  idealMs: 792_000 * second,
  idealGoodMs: 776_160 * second,
  energyWh: 4_120_500,
};

describe('kpiFigures', () => {
  it('gives OEE as the ratio of sums, equal to the product of its factors', () => {
    const { availability, effectiveness, quality, oee, nee } = kpiFigures(plantDay);
    expect(availability).toBe(0.75);
    expect(effectiveness).toBeCloseTo(0.916_667, 6);
    expect(quality).toBe(0.98);
    expect(oee).toBe(0.673_75);
    expect((availability ?? 0) * (effectiveness ?? 0) * (quality ?? 0)).toBeCloseTo(0.673_75, 12);
    expect(nee).toBeCloseTo((936 / 1152) * (792 / 864) * 0.98, 12);
  });

  it('divides failures, pieces, energy and coverage', () => {
    expect(kpiFigures(plantDay)).toMatchObject({
      technicalEfficiency: 864 / 936,
      setupRatio: 72 / 936,
      correctiveMaintenanceRatio: 0,
      scrapRatio: 0.01,
      reworkRatio: 0.01,
      throughputPerHour: 19_800 / 320,
      mtbfMs: 156_000 * second,
      mttrMs: 12_000 * second,
      energyPerPieceWh: 4_120_500 / 19_800,
      coverage: 1 - 36 / 1728,
      plannedCoverage: 1 - 36 / 1224,
      flags: [],
    });
    expect(expectedMs(plantDay)).toBe(20 * 86_400 * second);
  });

  it('is never the mean of plants', () => {
    const small: KpiParts = { ...emptyParts(), pbtMs: 144_000, aptMs: 100_000, idealMs: 30_000, idealGoodMs: 26_244 };
    const large: KpiParts = { ...emptyParts(), pbtMs: 1_152_000, aptMs: 864_000, idealMs: 792_000, idealGoodMs: 776_160 };
    const mean = ((kpiFigures(small).oee ?? 0) + (kpiFigures(large).oee ?? 0)) / 2;
    expect(mean).toBeCloseTo(0.428, 12);
    expect(kpiFigures(addParts(small, large)).oee).toBeCloseTo(0.619, 3);
  });

  it('has nothing to say of nothing', () => {
    const { flags, ...figures } = kpiFigures(emptyParts());
    expect(new Set(Object.values(figures))).toEqual(new Set([null]));
    expect(flags).toEqual([]);
  });

  it('shows an effectiveness above 1, and says so', () => {
    const fast = kpiFigures({ ...plantDay, idealMs: plantDay.aptMs * 1.5 });
    expect(fast.effectiveness).toBe(1.5);
    expect(fast.flags).toEqual(['effectivenessAbove1']);
  });

  it('has no OEE where no ideal cycle time or no count is known, and flags it where some is not', () => {
    const blind = kpiFigures({ ...plantDay, idealMs: 0, idealGoodMs: 0, producedWithoutIdeal: 19_800 });
    expect(blind).toMatchObject({ effectiveness: null, quality: null, oee: null, nee: null, flags: ['noIdealCycle'] });
    const uncounted = kpiFigures({ ...plantDay, idealMs: 0, idealGoodMs: 0, produced: 0, uncountedMs: plantDay.aptMs });
    expect(uncounted).toMatchObject({ effectiveness: null, oee: null, flags: ['notCounted'] });
    expect(kpiFigures({ ...plantDay, producedWithoutIdeal: 5 })).toMatchObject({ oee: 0.673_75, flags: ['noIdealCycle'] });
    // Nothing made in all the time is an OEE of 0, not an unknown one.
    expect(kpiFigures({ ...plantDay, idealMs: 0, idealGoodMs: 0, produced: 0 })).toMatchObject({ oee: 0, quality: null });
    expect(kpiFigures({ ...plantDay, unknownPlannedMs: 100_000 * second }).flags).toEqual(['lowCoverage']);
  });
});

describe('parts', () => {
  it('adds decimals exactly, in any order', () => {
    const amounts = fc.array(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(amounts, (thousandths) => {
        const exact = thousandths.reduce((a, b) => a + b, 0) / 1000;
        const parts = thousandths.map((amount) => ({ ...emptyParts(), produced: amount / 1000 }));
        expect(sumParts(parts).produced).toBe(exact === 0 ? 0 : exact);
        expect(parts.reverse().reduce<KpiParts>(addParts, emptyParts()).produced).toBe(exact === 0 ? 0 : exact);
      }),
    );
    expect(0.1 + 0.2).not.toBe(0.3);
    expect(toThousandths(0.1 + 0.2)).toBe(0.3);
  });

  it('tells no energy from no meter, and survives JSON', () => {
    const metered = { ...plantDay, energyWh: 0 };
    expect(addParts(emptyParts(), emptyParts()).energyWh).toBeNull();
    expect(addParts(emptyParts(), metered).energyWh).toBe(0);
    expect(kpiFigures({ ...plantDay, energyWh: null }).energyPerPieceWh).toBeNull();
    expect(JSON.parse(JSON.stringify(plantDay))).toEqual(plantDay);
    expect(addParts(plantDay, emptyParts())).toEqual(plantDay);
  });
});
