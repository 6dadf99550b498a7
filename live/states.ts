import type { StateInterval } from '@nhip/core/wire/live';
import type { Value } from '@nhip/core/wire/sample';
import { isMachineState, type MachineState } from '@nhip/core/wire/vocabulary';

/** A value at a time (ms UTC). */
export interface TimedValue {
  readonly t: number;
  readonly v: Value;
}

/** What is known of one machine around a range. Lists are in order of time and may begin with the last value before the range. */
export interface StateHistory {
  readonly fromMs: number;
  readonly toMs: number;
  readonly states: readonly TimedValue[];
  readonly reasons: readonly TimedValue[];
  readonly connections: readonly TimedValue[];
  /** Other times at which the machine was heard of, in order. */
  readonly heardMs: readonly number[];
  /** Silence longer than this is time without data. */
  readonly unknownAfterMs: number;
  /** While the connection was lost, a sample that came later tells the state for this long: the heartbeat of a metric, and some. */
  readonly evidenceMs: number;
}

/** A reason that follows its state within this time belongs to the state from its start. */
const reasonSettleMs = 2000;

/**
 * What a machine did in [fromMs, toMs): contiguous intervals, oldest first, that cover the range exactly; [] for an empty
 * range. Time without data is `unknown`, never a stop: before the first state, while the connection was known to be lost (but not
 * where the edge delivered the samples of that time later), and from `unknownAfterMs` after the last sign of life to the next.
 */
export function stateIntervals(history: StateHistory): readonly StateInterval[] {
  const { fromMs, toMs, states, reasons, connections } = history;
  if (!(fromMs < toMs)) return [];
  const silences = silentSpans(history);
  const times = new Set([fromMs]);
  const add = (t: number): void => {
    if (t > fromMs && t < toMs) times.add(t);
  };
  for (const { t } of states) add(t);
  for (const { t } of reasons) add(t);
  for (const { t } of connections) add(t);
  const losses = lostSpans(history);
  for (const [start, end] of [...silences, ...losses]) {
    add(start);
    add(end);
  }

  const stateAt = follow(states);
  const reasonAt = follow(reasons);
  const silentAt = followSpans(silences);
  const lostAt = followSpans(losses);
  const intervals: StateInterval[] = [];
  const starts = [...times].sort((a, b) => a - b);
  for (const [i, from] of starts.entries()) {
    // Both are asked every time: they must see the times in order.
    const [isSilent, isLost] = [silentAt(from), lostAt(from)];
    const isKnown = !isSilent && !isLost;
    const said = stateAt(from);
    const state: MachineState = isKnown && isMachineState(said) ? said : 'unknown';
    const text = reasonAt(from);
    const reason = state === 'unknown' || text === undefined || text === null || text === '' ? null : String(text);
    append(intervals, { from, to: starts[i + 1] ?? toMs, state, reason });
  }
  return intervals;
}

/** Appends and joins: equal neighbours become one; a short start of a state takes the reason that settles. */
function append(intervals: StateInterval[], next: StateInterval): void {
  const last = intervals.at(-1);
  if (last !== undefined && last.state === next.state) {
    const settles = last.to - last.from < reasonSettleMs && intervals.at(-2)?.state !== last.state;
    if (last.reason === next.reason || settles) {
      intervals[intervals.length - 1] = { ...next, from: last.from };
      return;
    }
  }
  intervals.push(next);
}

/** The value that holds at a time; times must be asked in order. Of several at one time the last holds. */
function follow(values: readonly TimedValue[]): (t: number) => Value | undefined {
  let i = -1;
  return (t) => {
    for (let next = values[i + 1]; next !== undefined && next.t <= t; next = values[i + 1]) i++;
    return values[i]?.v;
  };
}

function followSpans(spans: readonly (readonly [number, number])[]): (t: number) => boolean {
  let i = 0;
  return (t) => {
    for (let span = spans[i]; span !== undefined && span[1] <= t; span = spans[i]) i++;
    const span = spans[i];
    return span !== undefined && span[0] <= t;
  };
}

/** Spans in which the connection was lost and no sample of that time came later, in order. */
function lostSpans({ toMs, states, reasons, connections, heardMs, evidenceMs }: StateHistory): readonly (readonly [number, number])[] {
  const evidence = [...heardMs, ...states.map(({ t }) => t), ...reasons.map(({ t }) => t)].sort((a, b) => a - b);
  const spans: (readonly [number, number])[] = [];
  let next = 0;
  for (const [i, { t, v }] of connections.entries()) {
    const end = connections[i + 1]?.t ?? toMs;
    if (v === 'online' || end <= t) continue;
    let from = t;
    while (next < evidence.length && (evidence[next] as number) <= t) next++;
    for (let at = evidence[next]; at !== undefined && at < end; at = evidence[++next]) {
      if (at > from) spans.push([from, at]);
      from = Math.max(from, at + evidenceMs);
    }
    if (from < end) spans.push([from, end]);
  }
  return spans;
}

/** Spans in which nothing was heard for longer than allowed, in order. */
function silentSpans({
  toMs,
  states,
  reasons,
  connections,
  heardMs,
  unknownAfterMs,
}: StateHistory): readonly (readonly [number, number])[] {
  const heard = [...heardMs];
  for (const list of [states, reasons, connections]) for (const { t } of list) heard.push(t);
  heard.sort((a, b) => a - b);
  heard.push(toMs);
  const spans: [number, number][] = [];
  for (const [i, t] of heard.entries()) {
    const before = heard[i - 1];
    if (before !== undefined && t - before > unknownAfterMs) spans.push([before + unknownAfterMs, t]);
  }
  return spans;
}
