import fc from 'fast-check';
import { machineStates } from '../../wire/vocabulary.ts';
import type { Correction, MachineInterval } from '../corrections.ts';
import { reasonMap, stopStates } from '../reasons.ts';
import { type Span, union } from '../span.ts';
import type { TimeRules } from '../time-model.ts';

/** A small world in which everything is dense: a millisecond stands for a minute. */
export const span: Span = { from: 1_000, to: 1_300 };
export const rules: TimeRules = { reasons: reasonMap({ E1: 'breakdown', X9: 'unexplained' }), microStopMs: 6 };

const reasons = fc.constantFrom(null, null, 'E1', 'X9', 'Z?', 'setup_changeover', 'material_shortage', 'planned_maintenance', 'no_order');
const times = fc.integer({ min: span.from - 10, max: span.to + 10 });

/** Contiguous over `span`; faults and short stops are frequent. */
export const intervalLists: fc.Arbitrary<readonly MachineInterval[]> = fc
  .array(
    fc.record({
      state: fc.constantFrom(...machineStates, 'fault' as const, 'idle' as const, 'running' as const, 'running' as const),
      reason: reasons,
      ms: fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 20, max: 70 })),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) => {
    const intervals: MachineInterval[] = [];
    let from = span.from;
    for (const { state, reason, ms } of list) {
      if (from >= span.to) break;
      const to = Math.min(span.to, from + ms);
      intervals.push({ from, to, state, reason: state === 'unknown' ? null : reason });
      from = to;
    }
    if (from < span.to) intervals.push({ from, to: span.to, state: 'running', reason: null });
    return joined(intervals);
  });

export const plans: fc.Arbitrary<readonly Span[]> = fc
  .array(fc.record({ from: times, ms: fc.integer({ min: 1, max: 60 }) }), { maxLength: 8 })
  .map((list) => union(list.map(({ from, ms }) => ({ from, to: from + ms }))));

const entry = { machine: fc.constant('m'), by: fc.constant('lan'), atMs: fc.constant(0) };
const replaces = fc.option(
  fc.nat(9).map((i) => `c${i}`),
  { nil: undefined, freq: 8 },
);

export const correctionLists: fc.Arbitrary<readonly Correction[]> = fc
  .array(
    fc.oneof(
      fc.record({
        ...entry,
        kind: fc.constant('reclassify' as const),
        fromMs: times,
        ms: fc.option(fc.integer({ min: -2, max: 60 }), { nil: null }),
        reason: reasons,
        state: fc.option(fc.constantFrom(...stopStates), { nil: undefined }),
        replaces,
      }),
      fc.record({ ...entry, kind: fc.constant('split' as const), splitMs: times, replaces }),
      fc.record({
        ...entry,
        kind: fc.constant('merge' as const),
        fromMs: times,
        ms: fc.integer({ min: 0, max: 60 }),
        reason: reasons,
        state: fc.constantFrom(...stopStates),
        replaces,
      }),
      fc.record({ ...entry, kind: fc.constant('withdraw' as const), replaces: fc.nat(9).map((i) => `c${i}`) }),
    ),
    { maxLength: 10 },
  )
  .map((list) =>
    list.map((item, i) => {
      const { ms, ...rest } = item as typeof item & { fromMs: number; ms?: number | null };
      const ends = ms === undefined ? {} : { toMs: ms === null ? null : rest.fromMs + ms };
      const given = Object.fromEntries(Object.entries({ ...rest, ...ends }).filter(([, value]) => value !== undefined));
      return { ...given, id: `c${i}` } as unknown as Correction;
    }),
  );

/** What a shorter query of the same history would return. */
export function cut(intervals: readonly MachineInterval[], { from, to }: Span): readonly MachineInterval[] {
  return intervals
    .filter((interval) => interval.from < to && interval.to > from)
    .map((interval) => ({ ...interval, from: Math.max(from, interval.from), to: Math.min(to, interval.to) }));
}

function joined(intervals: readonly MachineInterval[]): readonly MachineInterval[] {
  const list: MachineInterval[] = [];
  for (const interval of intervals) {
    const last = list.at(-1);
    if (last?.state === interval.state && last.reason === interval.reason) list[list.length - 1] = { ...last, to: interval.to };
    else list.push(interval);
  }
  return list;
}
