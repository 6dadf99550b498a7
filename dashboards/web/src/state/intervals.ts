import type { StateInterval } from '@nhip/core/wire/live';
import { type MachineState, machineStates } from '@nhip/core/wire/vocabulary';
import { toneOf } from './look.ts';

interface Current {
  readonly state: MachineState;
  readonly reason: string | null;
  readonly since: number | null;
}

/**
 * Intervals of [from, to) from what was fetched (oldest first) and what the live feed says now. The current state wins from
 * its start on; between the end of the fetched part and that start the last fetched state is taken to have lasted.
 */
export function extended(fetched: readonly StateInterval[], current: Current | null, from: number, to: number): StateInterval[] {
  const since = current?.since ?? null;
  const cut = since === null ? to : Math.max(from, Math.min(since, to));
  const kept = clipped(fetched, from, cut);
  if (current === null || since === null || since >= to) return kept;
  const last = kept.at(-1);
  if (last !== undefined && last.to < cut) kept[kept.length - 1] = { ...last, to: cut };
  kept.push({ from: Math.max(since, from), to, state: current.state, reason: current.reason });
  return kept;
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
