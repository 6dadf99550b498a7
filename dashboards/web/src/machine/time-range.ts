/** The time axis that the timeline and the trends of a machine page share. It lives in the URL: `range`, or `from` and `to` after a zoom. */
export const ranges = ['15m', '1h', '8h', '24h', '7d'] as const;
export type RangeName = (typeof ranges)[number];

const hourMs = 3_600_000;
export const rangeMs: Readonly<Record<RangeName, number>> = {
  '15m': hourMs / 4,
  '1h': hourMs,
  '8h': 8 * hourMs,
  '24h': 24 * hourMs,
  '7d': 168 * hourMs,
};
const defaultRange: RangeName = '8h';
const shortestMs = 10_000;
const longestMs = 31 * 24 * hourMs;
/** Up to here every sample is drawn; above, the server sends minimum, maximum and average per bucket. */
const rawUpToMs = hourMs / 4;

/** `range` names a window that moves with the clock; without it the window stands still. */
export interface TimeWindow {
  readonly range: RangeName | null;
  readonly from: number;
  readonly to: number;
}

export function readWindow(query: URLSearchParams, now: number): TimeWindow {
  const [from, to] = [Number(query.get('from') ?? Number.NaN), Number(query.get('to') ?? Number.NaN)];
  if (Number.isFinite(from) && Number.isFinite(to) && to - from >= shortestMs && to - from <= longestMs) return { range: null, from, to };
  const range = ranges.find((known) => known === query.get('range')) ?? defaultRange;
  return { range, from: now - rangeMs[range], to: now };
}

/** Parameters of the URL for a window; default values are left out. */
export function windowQuery(window: TimeWindow): { range: string | null; from: string | null; to: string | null } {
  if (window.range !== null) return { range: window.range === defaultRange ? null : window.range, from: null, to: null };
  return { range: null, from: String(Math.round(window.from)), to: String(Math.round(window.to)) };
}

/** A standing window [from, to], not shorter than ten seconds, not longer than a month, not in the future. */
export function fixedWindow(from: number, to: number, now: number): TimeWindow {
  const length = Math.min(Math.max(to - from, shortestMs), longestMs);
  const end = Math.min((from + to + length) / 2, now);
  return { range: null, from: end - length, to: end };
}

/** Factor < 1 zooms in, > 1 out, around the middle; at "now" around the right edge. */
export function zoomed(window: TimeWindow, factor: number, now: number): TimeWindow {
  const length = (window.to - window.from) * factor;
  const isAtNow = window.to >= now - 1000;
  const middle = (window.from + window.to) / 2;
  return isAtNow ? fixedWindow(window.to - length, window.to, now) : fixedWindow(middle - length / 2, middle + length / 2, now);
}

/** Moves by a share of the window's length; negative = earlier. */
export function panned(window: TimeWindow, share: number, now: number): TimeWindow {
  const step = (window.to - window.from) * share;
  return fixedWindow(window.from + step, window.to + step, now);
}

const second = 1000;
const minute = 60 * second;
const steps = [
  1 * second,
  2 * second,
  5 * second,
  10 * second,
  15 * second,
  30 * second,
  1 * minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  1 * hourMs,
  2 * hourMs,
  4 * hourMs,
  6 * hourMs,
  12 * hourMs,
  24 * hourMs,
  48 * hourMs,
  168 * hourMs,
];

/** Width of a bucket for at most `points` buckets, or null when every sample is to be drawn. */
export function bucketMs(lengthMs: number, points: number): number | null {
  if (lengthMs <= rawUpToMs) return null;
  return steps.find((step) => lengthMs / step <= points) ?? 168 * hourMs;
}

export interface Ticks {
  readonly at: readonly number[];
  readonly stepMs: number;
}

/** At most `most` round times in [from, to], round in the plant's time zone. */
export function ticks(from: number, to: number, most: number, timeZone: string): Ticks {
  const stepMs = steps.find((step) => (to - from) / step <= most) ?? 168 * hourMs;
  const offset = zoneOffsetMs(from, timeZone);
  const at: number[] = [];
  for (let tick = Math.ceil((from + offset) / stepMs) * stepMs - offset; tick <= to; tick += stepMs) at.push(tick);
  return { at, stepMs };
}

/** Local time minus UTC at a moment, ms. */
export function zoneOffsetMs(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(ms);
  const part = (type: string): number => Number(parts.find((found) => found.type === type)?.value ?? 0);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(ms / 1000) * 1000;
}
