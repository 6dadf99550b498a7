import { connections, machineStates } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type StateHistory, stateIntervals, type TimedValue } from './states.ts';

const base: StateHistory = {
  fromMs: 0,
  toMs: 100_000,
  states: [],
  reasons: [],
  connections: [],
  heardMs: [],
  unknownAfterMs: 60_000,
  evidenceMs: 1000,
};

function timed(values: fc.Arbitrary<TimedValue['v']>): fc.Arbitrary<readonly TimedValue[]> {
  return fc
    .array(fc.record({ t: fc.integer({ min: -50_000, max: 120_000 }), v: values }), { maxLength: 20 })
    .map((list) => list.sort((a, b) => a.t - b.t));
}

const histories: fc.Arbitrary<StateHistory> = fc.record({
  fromMs: fc.integer({ min: -10_000, max: 50_000 }),
  toMs: fc.integer({ min: 0, max: 110_000 }),
  states: timed(fc.constantFrom(...machineStates, 'nonsense', null)),
  reasons: timed(fc.constantFrom('', null, 'Kẹt phôi', 'Chờ phôi')),
  connections: timed(fc.constantFrom(...connections)),
  heardMs: fc.array(fc.integer({ min: -50_000, max: 120_000 }), { maxLength: 30 }).map((list) => list.sort((a, b) => a - b)),
  unknownAfterMs: fc.integer({ min: 1, max: 60_000 }),
  evidenceMs: fc.integer({ min: 1, max: 10_000 }),
});

const lastAt = (list: readonly TimedValue[], t: number) => list.findLast((item) => item.t <= t)?.v;

describe('stateIntervals', () => {
  it('covers the range exactly: contiguous, no overlap, no two equal neighbours', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const intervals = stateIntervals(history);
        if (history.fromMs >= history.toMs) {
          expect(intervals).toEqual([]);
          return;
        }
        expect(intervals[0]?.from).toBe(history.fromMs);
        expect(intervals.at(-1)?.to).toBe(history.toMs);
        for (const [i, interval] of intervals.entries()) {
          expect(interval.from).toBeLessThan(interval.to);
          const before = intervals[i - 1];
          if (before === undefined) continue;
          expect(interval.from).toBe(before.to);
          expect([interval.state, interval.reason]).not.toEqual([before.state, before.reason]);
        }
      }),
    );
  });

  it('says at every time what the samples before it say', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: -10_000, max: 110_000 }), (history, t) => {
        const interval = stateIntervals(history).find(({ from, to }) => from <= t && t < to);
        if (interval === undefined) return;
        const heard = [...history.heardMs, ...[...history.states, ...history.reasons, ...history.connections].map((item) => item.t)];
        const lastHeard = Math.max(...heard.filter((at) => at <= t));
        const connection = lastAt(history.connections, t);
        const said = lastAt(history.states, t);
        // Silence between two signs of life, or up to the end of the range.
        const next = Math.min(...heard.filter((at) => at > t), history.toMs);
        const isSilent =
          heard.some((at) => at <= t) && t - lastHeard >= history.unknownAfterMs && next - lastHeard > history.unknownAfterMs;
        const since = history.connections.findLast((item) => item.t <= t)?.t ?? 0;
        const evidence = [...history.heardMs, ...[...history.states, ...history.reasons].map((item) => item.t)];
        const isEvident = evidence.some((at) => at > since && at <= t && t - at < history.evidenceMs);
        const isLost = connection !== undefined && connection !== 'online' && !isEvident;
        const isKnown = !isSilent && !isLost;
        const isWord = machineStates.some((word) => word === said);
        expect(interval.state).toBe(isKnown && isWord ? said : 'unknown');
      }),
      { numRuns: 500 },
    );
  });

  it('calls time without a connection unknown, not a stop', () => {
    const history: StateHistory = {
      ...base,
      unknownAfterMs: 1_000_000,
      states: [
        { t: -5, v: 'running' },
        { t: 60_000, v: 'fault' },
      ],
      connections: [
        { t: -10, v: 'online' },
        { t: 20_000, v: 'agentOffline' },
        { t: 50_000, v: 'online' },
      ],
    };
    expect(stateIntervals(history)).toEqual([
      { from: 0, to: 20_000, state: 'running', reason: null },
      { from: 20_000, to: 50_000, state: 'unknown', reason: null },
      { from: 50_000, to: 60_000, state: 'running', reason: null },
      { from: 60_000, to: 100_000, state: 'fault', reason: null },
    ]);
  });

  it('knows the time of an outage again when its samples were delivered later', () => {
    const history: StateHistory = {
      ...base,
      unknownAfterMs: 1_000_000,
      evidenceMs: 5000,
      states: [
        { t: -5, v: 'running' },
        { t: 26_000, v: 'fault' },
      ],
      heardMs: [22_000],
      connections: [
        { t: -10, v: 'online' },
        { t: 20_000, v: 'agentOffline' },
        { t: 50_000, v: 'online' },
      ],
    };
    expect(stateIntervals(history).map(({ from, state }) => [from, state])).toEqual([
      [0, 'running'],
      [20_000, 'unknown'],
      [22_000, 'running'],
      [26_000, 'fault'],
      [31_000, 'unknown'],
      [50_000, 'fault'],
    ]);
  });

  it('calls a long silence unknown', () => {
    const history: StateHistory = {
      ...base,
      unknownAfterMs: 10_000,
      states: [{ t: 0, v: 'running' }],
      heardMs: [5_000, 80_000, 88_000, 95_000],
    };
    expect(stateIntervals(history).map(({ from, state }) => [from, state])).toEqual([
      [0, 'running'],
      [15_000, 'unknown'],
      [80_000, 'running'],
    ]);
  });

  it('gives a state the reason that arrives right after it', () => {
    const history: StateHistory = {
      ...base,
      states: [
        { t: 0, v: 'running' },
        { t: 10_000, v: 'fault' },
      ],
      reasons: [
        { t: 0, v: '' },
        { t: 10_300, v: 'Kẹt phôi' },
        { t: 40_000, v: 'Hỏng bơm' },
      ],
    };
    expect(stateIntervals(history)).toEqual([
      { from: 0, to: 10_000, state: 'running', reason: null },
      { from: 10_000, to: 40_000, state: 'fault', reason: 'Kẹt phôi' },
      { from: 40_000, to: 100_000, state: 'fault', reason: 'Hỏng bơm' },
    ]);
  });
});
