import type { MachineView, StateInterval } from '@nhip/core/wire/live';
import { type MachineState, machineStates } from '@nhip/core/wire/vocabulary';
import { toneOf } from './look.ts';

/** What the live feed says of a machine. */
export type Current = Pick<MachineView, 'state' | 'reason' | 'since' | 'connection' | 'lastSample'>;

/**
 * Intervals of [from, to): what was fetched (oldest first), then what the live feed says now; [] where nothing was fetched.
 * The feed tells since when a state holds, but not where data was missing since then: the answer does, and what it says stands. The current
 * state is put after its end, or from its own start when the answer does not know of the change yet; between the end of the answer
 * and that start the last fetched state is taken to have lasted. A machine that is not reached, or was not heard of since its data
 * ended, is `unknown`.
 */
export function extended(fetched: readonly StateInterval[], current: Current | null, from: number, to: number): StateInterval[] {
  const answered = clipped(fetched, from, to);
  const last = answered.at(-1);
  if (current === null || last === undefined) return answered;
  const since = current.since ?? last.from;
  // By a clock that is ahead the change is still to come; it is shown all the same.
  const isNews = since > last.from;
  const start = isNews && since < to ? since : last.to;
  if (start >= to) return answered;
  // Read last and seldom: the time of the newest sample changes all the time, and whoever shows this draws it anew then.
  const isHeard = isNews || last.state !== 'unknown' || (current.lastSample ?? 0) > last.from;
  const state = current.connection === 'online' && isHeard ? current.state : 'unknown';
  const reason = state === 'unknown' ? null : current.reason;
  const before = [...answered.slice(0, -1), { ...last, to: start }];
  if (state !== last.state || reason !== last.reason) return [...before, { from: start, to, state, reason }];
  return [...answered.slice(0, -1), { ...last, to }];
}

export function clipped(intervals: readonly StateInterval[], from: number, to: number): StateInterval[] {
  const kept: StateInterval[] = [];
  if (to <= from) return kept;
  for (const interval of intervals) {
    if (interval.to <= from || interval.from >= to) continue;
    kept.push({ ...interval, from: Math.max(interval.from, from), to: Math.min(interval.to, to) });
  }
  return kept;
}

export interface StateTotal {
  readonly state: MachineState;
  readonly ms: number;
}

/** Time per state in the order of the legend, without the states that do not occur. */
export function totals(intervals: readonly StateInterval[]): StateTotal[] {
  const sums = new Map<MachineState, number>();
  for (const { state, from, to } of intervals) sums.set(state, (sums.get(state) ?? 0) + (to - from));
  return machineStates.flatMap((state) => {
    const ms = sums.get(state);
    return ms === undefined ? [] : [{ state, ms }];
  });
}

/** How a segment is painted: a colour, and for unknown time an outline. */
export const paints = ['off', 'unknown', 'run', 'plan', 'wait', 'down'] as const;
export type Paint = (typeof paints)[number];

/**
 * SVG path data per paint for a strip of `width` × `height` px. Short segments get one pixel (but no data for a
 * blink of an eye is no news); later paints lie on top, so a short fault stays visible in a week. At most one rectangle per pixel and paint, however many intervals there are.
 */
export function stripPaths(
  intervals: readonly StateInterval[],
  from: number,
  to: number,
  width: number,
  height: number,
): Record<Paint, string> {
  const paths: Record<Paint, string> = { off: '', unknown: '', run: '', plan: '', wait: '', down: '' };
  const painted: Record<Paint, number> = { off: -1, unknown: -1, run: -1, plan: -1, wait: -1, down: -1 };
  const scale = to > from ? width / (to - from) : 0;
  for (const interval of intervals) {
    const paint = interval.state === 'unknown' ? 'unknown' : toneOf[interval.state];
    if (paint === 'unknown' && (interval.to - interval.from) * scale < 0.5) continue;
    const left = Math.max(Math.round((interval.from - from) * scale), painted[paint]);
    const right = Math.min(Math.max(Math.round((interval.to - from) * scale), left + 1), width);
    if (right <= left || right <= painted[paint]) continue;
    painted[paint] = right;
    paths[paint] += `M${left} 0h${right - left}v${height}h${left - right}z`;
  }
  return paths;
}
