import type { DowntimeStop } from '@nhip/core/kpi/answers';
import { kpiFigures } from '@nhip/core/kpi/figures';
import { emptyParts, type KpiParts } from '@nhip/core/kpi/parts';
import { downtimeReasons } from '@nhip/core/kpi/reasons';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainedNoData, waterfall } from './waterfall.ts';

const minuteMs = 60_000;
const none: ReadonlyMap<string, number> = new Map();

function rowOf(changes: Partial<KpiParts>, downtime: Readonly<Record<string, { ms: number; events: number }>> = {}) {
  const parts = { ...emptyParts(), ...changes };
  return { parts, figures: kpiFigures(parts), downtime };
}

/** 480 min planned: 20 without data, 30 planned stops, 40 set-up, 60 delay, of which 10 micro-stops; the rest runs. */
const shift: Partial<KpiParts> = {
  ...{ potMs: 480 * minuteMs, unknownPlannedMs: 20 * minuteMs, plannedStopMs: 30 * minuteMs, pbtMs: 430 * minuteMs },
  ...{ setupMs: 40 * minuteMs, adetMs: 60 * minuteMs, microStopMs: 10 * minuteMs, unexplainedMs: 15 * minuteMs, aptMs: 330 * minuteMs },
  ...{ produced: 300, good: 290, scrap: 10, idealMs: 300 * minuteMs, idealGoodMs: 290 * minuteMs },
};
const downtime = {
  setup_changeover: { ms: 40 * minuteMs, events: 1 },
  breakdown: { ms: 35 * minuteMs, events: 1 },
  no_order: { ms: 30 * minuteMs, events: 1 },
  unexplained: { ms: 25 * minuteMs, events: 9 },
};

describe('waterfall', () => {
  it('takes every loss off, largest reason first, down to effective time', () => {
    const steps = waterfall(rowOf(shift, downtime), downtimeReasons, none);
    expect(steps.map(({ name, code, ms }) => [code ?? name, ms / minuteMs])).toEqual([
      ['planned', 480],
      ['noData', 20],
      ['plannedStops', 30],
      ['busy', 430],
      ['setup_changeover', 40],
      ['breakdown', 35],
      ['unexplained', 15],
      ['microStops', 10],
      ['running', 330],
      ['speed', 30],
      ['quality', 10],
      ['effective', 290],
    ]);
    expect(steps.find(({ name }) => name === 'effective')?.share).toBeCloseTo(290 / 430);
    expect(steps.filter(({ share }) => share === null).map(({ name }) => name)).toEqual(['planned', 'noData', 'plannedStops']);
  });

  it('shows what is faster than ideal as a gain and does not clip it', () => {
    const steps = waterfall(rowOf({ ...shift, idealMs: 350 * minuteMs, idealGoodMs: 345 * minuteMs }, downtime), downtimeReasons, none);
    expect(steps.find(({ kind }) => kind === 'gain')).toMatchObject({ name: 'faster', startMs: 330 * minuteMs, ms: 20 * minuteMs });
    expect(steps.at(-1)).toMatchObject({ name: 'effective', ms: 345 * minuteMs });
  });

  it('ends with running time when nothing is known of speed', () => {
    const steps = waterfall(rowOf({ ...shift, idealMs: 0, idealGoodMs: 0, producedWithoutIdeal: 300 }, downtime), downtimeReasons, none);
    expect(steps.at(-1)?.name).toBe('running');
  });

  it('leaves explained time without data out of the reasons: it is none of busy time', () => {
    const outage = { ...downtime, grid_outage: { ms: 20 * minuteMs, events: 1 } };
    const steps = waterfall(rowOf(shift, outage), downtimeReasons, new Map([['grid_outage', 20 * minuteMs]]));
    expect(steps.some(({ code }) => code === 'grid_outage')).toBe(false);
    expect(steps.find(({ code }) => code === 'breakdown')?.ms).toBe(35 * minuteMs);
  });

  it('has losses between two totals that are exactly their difference, whatever was counted under reasons', () => {
    const ms = fc.integer({ min: 0, max: 10_000_000 });
    const anyReasons = fc.dictionary(fc.constantFrom(...downtimeReasons.map(({ code }) => code), 'strange'), fc.record({ ms, events: ms }));
    fc.assert(
      fc.property(ms, ms, ms, ms, ms, anyReasons, (aptMs, setupMs, adetMs, unknownPlannedMs, idealMs, reasons) => {
        const pbtMs = aptMs + setupMs + adetMs;
        const parts = { aptMs, setupMs, adetMs, pbtMs, unknownPlannedMs, potMs: pbtMs + unknownPlannedMs, idealMs, idealGoodMs: idealMs };
        let left = 0;
        for (const step of waterfall(rowOf(parts, reasons), downtimeReasons, none)) {
          if (step.kind === 'total' && step.name !== 'planned') expect(step.ms).toBe(left);
          expect(step.startMs).toBeGreaterThanOrEqual(0);
          left = step.kind === 'total' ? step.ms : step.kind === 'loss' ? step.startMs : step.startMs + step.ms;
        }
      }),
    );
  });
});

describe('explainedNoData', () => {
  it('adds up what somebody explained, within the period', () => {
    const stop = (from: number, to: number | null, reason: string | null): DowntimeStop => ({
      ...{ id: `m@${from}`, machine: 'm', from, to, state: 'unknown', reason, reasonCode: reason ?? 'unexplained', kind: 'unplanned' },
      ...{ bucket: 'unknownPlanned', isMicroStop: false, isUnexplained: false, corrections: [] },
    });
    const stops = [stop(-50, 30, 'grid_outage'), stop(60, null, 'grid_outage'), stop(40, 50, null)];
    expect([...explainedNoData(stops, { from: 0, knownTo: 100 })]).toEqual([['grid_outage', 70]]);
  });
});
