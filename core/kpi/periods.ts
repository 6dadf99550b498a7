import { dateOf, type PlantCalendar, workedShifts } from './calendar.ts';
import { dayMs, isoWeekday, localDay, minuteMs, minutesOfDay, wallToUtc } from './shift.ts';
import type { Span } from './span.ts';

export const periodKinds = ['hour', 'shift', 'day', 'week', 'month'] as const;
export type PeriodKind = (typeof periodKinds)[number];

export interface Period extends Span {
  readonly kind: PeriodKind;
  /** Local date on which it starts, `YYYY-MM-DD`: of the day of the books. */
  readonly date: string;
  /** Id of the shift. */
  readonly shift?: string;
}

const hourMs = 3_600_000;

/**
 * The periods that overlap the range, whole, oldest first. Hours make up days, days make up weeks (from Monday) and months, without
 * gap or overlap: a day begins at `dayStart` of the calendar and has 23 or 25 hours when the clocks change; hours are counted from there,
 * the last one ends with the day. Shifts are those worked.
 */
export function periodsIn(calendar: PlantCalendar, kind: PeriodKind, range: Span): readonly Period[] {
  if (range.from >= range.to) return [];
  if (kind === 'shift') {
    return workedShifts(calendar, range).map(({ from, to, date, shift }) => ({ kind, from, to, date, shift: shift.id }));
  }
  const start = startOf(calendar);
  const periods: Period[] = [];
  for (let day = firstDay(kind, bookDay(calendar, range.from)); start(day) < range.to; day = nextDay(kind, day)) {
    const whole = { from: start(day), to: start(nextDay(kind, day)) };
    if (kind === 'hour') periods.push(...hoursOf(whole, range, dateOf(day)));
    else periods.push({ kind, ...whole, date: dateOf(day) });
  }
  return periods;
}

/** The period that holds `atMs`; of shifts that overlap the one that starts first, null between shifts. */
export function periodAt(calendar: PlantCalendar, kind: PeriodKind, atMs: number): Period | null {
  return periodsIn(calendar, kind, { from: atMs, to: atMs + 1 })[0] ?? null;
}

function hoursOf(day: Span, range: Span, date: string): readonly Period[] {
  const hours: Period[] = [];
  for (let from = day.from; from < day.to; from += hourMs) {
    const to = Math.min(from + hourMs, day.to);
    if (from < range.to && to > range.from) hours.push({ kind: 'hour', from, to, date });
  }
  return hours;
}

/** The day of the books that holds `atMs`, as local midnight of its date. */
function bookDay(calendar: PlantCalendar, atMs: number): number {
  const day = localDay(calendar.timeZone, atMs);
  return startOf(calendar)(day) <= atMs ? day : day - dayMs;
}

function startOf({ timeZone, dayStart = '00:00' }: PlantCalendar): (day: number) => number {
  const startMs = minutesOfDay(dayStart) * minuteMs;
  return (day) => wallToUtc(timeZone, day + startMs);
}

function firstDay(kind: PeriodKind, day: number): number {
  if (kind === 'week') return day - (isoWeekday(day) - 1) * dayMs;
  return kind === 'month' ? monthStart(day, 0) : day;
}

function nextDay(kind: PeriodKind, day: number): number {
  if (kind === 'week') return day + 7 * dayMs;
  return kind === 'month' ? monthStart(day, 1) : day + dayMs;
}

function monthStart(day: number, later: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1);
}
