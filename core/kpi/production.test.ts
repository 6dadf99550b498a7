import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyParts, sumParts } from './parts.ts';
import {
  type CounterHistory,
  energySteps,
  energyWh,
  type ProductionHistory,
  pieceParts,
  productionSteps,
  productParts,
  sumProducts,
  type Timed,
} from './production.ts';

const day = { from: 0, to: 1000 };
const noTimes = { idealCycleMs: [], products: [] };

function counter(...readings: readonly (readonly [number, number])[]): CounterHistory {
  return { readings: readings.map(([t, v]) => ({ t, v })) };
}

function pieces(history: Partial<ProductionHistory>, period = day) {
  return pieceParts(productionSteps({ ...noTimes, ...history }) ?? [], period);
}

describe('productionSteps', () => {
  it('counts what is there: good and reject, total and one of them, or one alone', () => {
    const good = counter([-5, 100], [10, 140], [20, 190]);
    const reject = counter([-5, 7], [15, 12], [25, 17]);
    const total = counter([-5, 500], [20, 602]);
    expect(pieces({ good, reject })).toMatchObject({ produced: 100, good: 90, scrap: 10 });
    expect(pieces({ good, reject, total })).toMatchObject({ produced: 100, good: 90, scrap: 10 });
    expect(pieces({ good, total })).toMatchObject({ produced: 102, good: 90, scrap: 12 });
    expect(pieces({ reject, total })).toMatchObject({ produced: 102, good: 92, scrap: 10 });
    expect(pieces({ total })).toMatchObject({ produced: 102, good: 102, scrap: 0 });
    expect(pieces({ good })).toMatchObject({ produced: 90, good: 90, scrap: 0 });
    expect(pieces({ reject })).toMatchObject({ produced: 10, good: 0, scrap: 10 });
    expect(productionSteps(noTimes)).toBeNull();
    // A counter without a reading in the range is still a counter.
    expect(pieces({ good, reject: counter() })).toMatchObject({ produced: 90, scrap: 0 });
  });

  it('gives a gain to the period that holds the reading which showed it', () => {
    const total = counter([-1, 0], [400, 8], [1000, 20], [1500, 21]);
    expect(pieces({ total }).produced).toBe(8);
    expect(pieces({ total }, { from: 1000, to: 2000 }).produced).toBe(13);
  });

  it('sees resets and roll-overs, and no gain in the first reading', () => {
    expect(pieces({ total: counter([1, 50], [2, 60], [3, 4], [4, 9]) }).produced).toBe(19);
    expect(pieces({ total: { ...counter([1, 65_530], [2, 4]), rolloverAt: 65_536 } }).produced).toBe(10);
    expect(pieces({ total: counter([1, 5], [2, Number.NaN], [3, -2], [4, 7]) }).produced).toBe(2);
  });

  it('weighs pieces with the ideal cycle time that holds, the machine before the plan', () => {
    const total = counter([0, 0], [100, 10], [200, 20], [300, 30], [400, 40]);
    const plannedCycleMs = (product: string | null) => (product === 'B' ? 30 : null);
    const history: ProductionHistory = {
      total,
      products: [
        { t: 0, v: 'A' },
        { t: 150, v: 'B' },
      ],
      idealCycleMs: [
        { t: 50, v: 12.5 },
        { t: 250, v: null },
        { t: 350, v: 0 },
      ],
      plannedCycleMs,
    };
    expect(pieces(history)).toMatchObject({ produced: 40, idealMs: 125 + 125 + 300 + 300, producedWithoutIdeal: 0 });
    expect(pieces({ ...history, plannedCycleMs: () => null })).toMatchObject({ idealMs: 250, idealGoodMs: 250, producedWithoutIdeal: 20 });
    expect(productParts(productionSteps(history) ?? [], day)).toMatchObject([
      { product: 'A', produced: 10, idealMs: 125 },
      { product: 'B', produced: 30, idealMs: 725 },
    ]);
  });

  it('keeps decimals of counters that count kilograms', () => {
    expect(pieces({ total: counter([0, 0.1], [1, 0.3], [2, 0.6], [3, 12.345]) }).produced).toBe(12.245);
  });
});

const readings = fc
  .array(fc.record({ ms: fc.integer({ min: 1, max: 40 }), pieces: fc.nat(500), isReset: fc.boolean() }), { maxLength: 40 })
  .map((list) => {
    let t = -20;
    let v = 0;
    return list.map(({ ms, pieces: made, isReset }) => {
      t += ms;
      v = isReset && made % 7 === 0 ? made : v + made;
      return { t, v: v / 8 } satisfies Timed<number>;
    });
  });
const histories: fc.Arbitrary<ProductionHistory> = fc
  .record({
    good: fc.option(readings, { nil: undefined }),
    reject: fc.option(readings, { nil: undefined }),
    total: readings,
    cycles: fc.array(fc.option(fc.double({ min: 0, max: 5000, noNaN: true }), { nil: null }), { maxLength: 8 }),
    names: fc.array(fc.constantFrom('A', 'B', null), { maxLength: 8 }),
  })
  .map(({ good, reject, total, cycles, names }) => ({
    ...(good && { good: { readings: good } }),
    ...(reject && { reject: { readings: reject } }),
    total: { readings: total },
    idealCycleMs: cycles.map((v, i) => ({ t: i * 90, v })),
    products: names.map((v, i) => ({ t: i * 110, v })),
  }));

describe('any history of counters', () => {
  it('adds up: periods to the whole, products to the machine', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 999 }), (history, at) => {
        const steps = productionSteps(history) ?? [];
        const whole = pieceParts(steps, day);
        const halves = [
          { from: 0, to: at },
          { from: at, to: 1000 },
        ];
        const asParts = (part: typeof whole) => ({ ...emptyParts(), ...part });
        expect(sumParts(halves.map((half) => asParts(pieceParts(steps, half))))).toEqual(asParts(whole));
        expect(sumProducts(halves.map((half) => productParts(steps, half)))).toEqual(productParts(steps, day));
        const total = sumParts(productParts(steps, day).map(({ product: _, ...part }) => asParts(part)));
        expect(total).toEqual(asParts(whole));
        expect(whole.good + whole.scrap).toBeCloseTo(whole.produced, 6);
      }),
    );
  });

  it('gives the same when readings come late, in any order, or twice', () => {
    fc.assert(
      fc.property(readings, fc.infiniteStream(fc.nat()), (list, random) => {
        const late = [...list, ...list.slice(0, 5)]
          .map((reading) => ({ reading, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ reading }) => reading);
        expect(pieces({ total: { readings: late } })).toEqual(pieces({ total: { readings: list } }));
      }),
    );
  });
});

it('turns a meter in kWh into whole Wh', () => {
  const steps = energySteps(counter([-1, 1000.1], [10, 1000.1004], [20, 1000.1009], [30, 1002.5], [40, 0.25]));
  expect(energyWh(steps, day)).toBe(2400 + 250);
  expect(energyWh(steps, { from: 0, to: 25 }) + energyWh(steps, { from: 25, to: 1000 })).toBe(2650);
});
