import type { Duration, Period } from './report.ts';

/** Việt Nam keeps +07:00 all year: local time is UTC shifted. */
const offsetMs = 7 * 3_600_000;
const dayMs = 86_400_000;
const minuteMs = 60_000;
const fixedMs = { PT1H: 3_600_000, P1D: dayMs, P1W: 7 * dayMs } as const satisfies Partial<Record<Duration, number>>;

/** Local date `YYYY-MM-DD` of a moment. */
export function localDate(atMs: number): string {
  return new Date(atMs + offsetMs).toISOString().slice(0, 10);
}

/** Local time with its offset, as the contract writes it: `2026-03-01T06:00:00+07:00`. Seconds are cut. */
export function localTime(atMs: number): string {
  return `${new Date(atMs + offsetMs).toISOString().slice(0, 16)}:00+07:00`;
}

/**
 * The date whose code lists hold for a period: that of its last moment, since the end itself belongs to the next one. The day that ends at
 * midnight of 1 July is 30 June.
 */
export function codeDate(period: Pick<Period, 'to'>): string {
  return localDate(Date.parse(period.to) - 1);
}

/** Length in seconds. */
export function periodSeconds(period: Pick<Period, 'from' | 'to'>): number {
  return (Date.parse(period.to) - Date.parse(period.from)) / 1000;
}

/** The period of a duration that a moment falls into, for production days that begin at `dayStart` (`HH:mm`, default midnight). */
export function periodAt(atMs: number, duration: Duration, dayStart = '00:00'): Period {
  const startMs = startMinutes(dayStart) * minuteMs;
  // Shifted so that a production day begins at midnight UTC.
  const shifted = atMs + offsetMs - (duration === 'PT1H' ? startMs % fixedMs.PT1H : startMs);
  const begin = floorTo(shifted, duration);
  const back = (ms: number): string => localTime(ms - offsetMs + (duration === 'PT1H' ? startMs % fixedMs.PT1H : startMs));
  const period = { from: back(begin), to: back(nextAfter(begin, duration)), duration, timeZone: 'Asia/Ho_Chi_Minh' } as const;
  return dayStart === '00:00' ? period : { ...period, dayStart };
}

/** Whether a period is exactly one hour, day, week (from Monday) or month of the calendar of its `dayStart`. */
export function isAligned(period: Period): boolean {
  const fromMs = Date.parse(period.from);
  if (Number.isNaN(fromMs)) return false;
  const expected = periodAt(fromMs, period.duration, period.dayStart);
  return expected.from === period.from && expected.to === period.to;
}

function floorTo(ms: number, duration: Duration): number {
  const date = new Date(ms);
  if (duration === 'P1M') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  if (duration === 'P1W') {
    const sinceMonday = (date.getUTCDay() + 6) % 7;
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - sinceMonday);
  }
  return Math.floor(ms / fixedMs[duration]) * fixedMs[duration];
}

function nextAfter(beginMs: number, duration: Duration): number {
  if (duration !== 'P1M') return beginMs + fixedMs[duration];
  const date = new Date(beginMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

function startMinutes(dayStart: string): number {
  const [hours = '0', minutes = '0'] = dayStart.split(':');
  return Number(hours) * 60 + Number(minutes);
}
