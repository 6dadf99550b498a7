import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCorrections } from './corrections.ts';
import { addParts, expectedMs, sumParts } from './parts.ts';
import { isStopState } from './reasons.ts';
import type { Span } from './span.ts';
import { downtimeByReason, listStops, sumDowntime } from './stops.ts';
import { correctionLists, cut, intervalLists, plans, rules, span } from './testing/histories.ts';
import { contextRange, machineTimeline } from './time-model.ts';
import { timeParts } from './time-parts.ts';

/** Far from the ends, so that the neighbourhood of every period is in the history. */
const middle: Span = { from: span.from + 40, to: span.to - 40 };
const worlds = fc.tuple(intervalLists, plans, correctionLists);
const cutPoints = fc
  .uniqueArray(fc.integer({ min: middle.from + 1, max: middle.to - 1 }), { maxLength: 4 })
  .map((points) => [middle.from, ...points.sort((a, b) => a - b), middle.to]);

function periods(points: readonly number[]): readonly Span[] {
  return points.slice(1).map((to, i) => ({ from: points[i] as number, to }));
}

describe('any history, calendar and list of corrections', () => {
  it('keeps every moment, once, and gives it to one state and one bucket', () => {
    fc.assert(
      fc.property(worlds, ([intervals, planned, corrections]) => {
        const { pieces } = machineTimeline(intervals, planned, rules, corrections);
        expect(pieces[0]?.from).toBe(span.from);
        expect(pieces.at(-1)?.to).toBe(span.to);
        for (const [i, piece] of pieces.entries()) {
          expect(piece.from).toBeLessThan(piece.to);
          if (i > 0) expect(piece.from).toBe(pieces[i - 1]?.to);
        }
      }),
    );
  });

  it('adds up: states to the period, buckets to POT and PBT', () => {
    fc.assert(
      fc.property(worlds, ([intervals, planned, corrections]) => {
        const parts = timeParts(machineTimeline(intervals, planned, rules, corrections), span);
        expect(expectedMs(parts)).toBe(span.to - span.from);
        expect(parts.pbtMs).toBe(parts.aptMs + parts.setupMs + parts.adetMs + parts.adotMs);
        expect(parts.potMs).toBe(parts.pbtMs + parts.plannedStopMs + parts.plannedMaintenanceMs + parts.unknownPlannedMs);
        expect(parts.aptMs).toBe(parts.statesMs.running);
        expect(parts.setupMs).toBe(parts.statesMs.setup);
        expect(parts.plannedMaintenanceMs + parts.correctiveMaintenanceMs).toBe(parts.statesMs.maintenance);
        for (const of of [parts.correctiveMaintenanceMs, parts.microStopMs, parts.ttrMs]) expect(of).toBeLessThanOrEqual(parts.adetMs);
        const said = intervals.filter(({ state }) => state === 'unknown').reduce((sum, { from, to }) => sum + to - from, 0);
        expect(parts.statesMs.unknown).toBe(said);
      }),
    );
  });

  it('is the same whether a period is computed whole, or in parts that each read only their neighbourhood', () => {
    fc.assert(
      fc.property(worlds, cutPoints, ([intervals, planned, corrections], points) => {
        const whole = machineTimeline(intervals, planned, rules, corrections);
        const apart = periods(points).map((period) => {
          const range = contextRange(period, planned, rules, corrections);
          return { period, timeline: machineTimeline(cut(intervals, range), planned, rules, corrections) };
        });
        expect(sumParts(apart.map(({ timeline, period }) => timeParts(timeline, period)))).toEqual(timeParts(whole, middle));
        expect(sumDowntime(apart.map(({ timeline, period }) => downtimeByReason(timeline, period, rules.reasons)))).toEqual(
          downtimeByReason(whole, middle, rules.reasons),
        );
      }),
      { numRuns: 600 },
    );
  });

  it('lists stops that never overlap, with an id of their own, as many as are counted', () => {
    fc.assert(
      fc.property(worlds, ([intervals, planned, corrections]) => {
        const timeline = machineTimeline(intervals, planned, rules, corrections);
        const stops = listStops('m', timeline, span, rules.reasons, corrections);
        for (const [i, stop] of stops.entries()) if (i > 0) expect(stop.from).toBeGreaterThanOrEqual(stops[i - 1]?.to ?? 0);
        expect(new Set(stops.map(({ id }) => id)).size).toBe(stops.length);
        const downtime = Object.values(downtimeByReason(timeline, span, rules.reasons));
        expect(stops.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(downtime.reduce((sum, { ms }) => sum + ms, 0));
        expect(stops.filter(({ beginsBefore }) => !beginsBefore)).toHaveLength(downtime.reduce((sum, { events }) => sum + events, 0));
      }),
    );
  });

  it('lets people change stops only: where a machine ran or was silent stays as it was', () => {
    fc.assert(
      fc.property(intervalLists, correctionLists, (intervals, corrections) => {
        const corrected = applyCorrections(intervals, corrections, rules.reasons);
        const at = (list: readonly Span[], ms: number) => list.find(({ from, to }) => from <= ms && ms < to);
        for (let ms = span.from; ms < span.to; ms++) {
          const [before, after] = [at(intervals, ms), at(corrected, ms)] as readonly ((typeof corrected)[number] | undefined)[];
          if (before === undefined || after === undefined) throw new Error(`nothing at ${ms}`);
          if (isStopState(before.state)) expect(isStopState(after.state)).toBe(true);
          else expect(after.state).toBe(before.state);
        }
      }),
      { numRuns: 50 },
    );
  });
});

it('sums machines in any order and grouping to the same parts', () => {
  fc.assert(
    fc.property(worlds, worlds, worlds, (...three) => {
      const [a, b, c] = three.map(([intervals, planned, corrections]) =>
        timeParts(machineTimeline(intervals, planned, rules, corrections), span),
      );
      if (a === undefined || b === undefined || c === undefined) return;
      expect(addParts(addParts(a, b), c)).toEqual(addParts(b, addParts(c, a)));
    }),
    { numRuns: 50 },
  );
});
