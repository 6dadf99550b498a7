import { dayMs, localDay, minuteMs, minutesOfDay, type ShiftRule, shiftOnDay, wallToUtc } from './shift.ts';
import { clip, type Span, subtract, union } from './span.ts';

/** When a plant means to work, in its own time. */
export interface PlantCalendar {
  /** IANA name. */
  readonly timeZone: string;
  /** `HH:MM` at which a day of the books begins; absent: 00:00. */
  readonly dayStart?: string;
  /** Empty: the plant works around the clock. */
  readonly shifts: readonly CalendarShift[];
  readonly exceptions?: readonly CalendarException[];
}

export interface CalendarShift extends ShiftRule {
  /** Wall time within the shift; one that begins earlier than the shift is on the day after. */
  readonly breaks?: readonly { readonly from: string; readonly to: string }[];
}

/** Days on which other shifts start than usual; of several for one day the last holds. */
export interface CalendarException {
  /** Local date `YYYY-MM-DD`. */
  readonly date: string;
  /** Last date of several in a row. */
  readonly lastDate?: string;
  /** Empty: a holiday. The weekdays of these shifts are not looked at. */
  readonly shifts: readonly CalendarShift[];
}

/** One occurrence of a shift. */
export interface WorkedShift extends Span {
  readonly shift: CalendarShift;
  /** Local date on which it starts, `YYYY-MM-DD`. */
  readonly date: string;
  /** Disjoint, oldest first. */
  readonly breaks: readonly Span[];
}

/** A calendar without shifts has this one. */
const aroundTheClock: CalendarShift = { id: 'day', from: '00:00', to: '00:00' };

/**
 * The shifts that overlap the range, whole, by their start. A shift belongs to the day on which it starts: the night shift before a
 * holiday is worked to its end. Throws a RangeError for text that is no time, date or zone.
 */
export function workedShifts(calendar: PlantCalendar, range: Span): readonly WorkedShift[] {
  const { timeZone } = calendar;
  const worked: WorkedShift[] = [];
  if (range.from >= range.to) return worked;
  const shiftsOn = shiftsByDay(calendar);
  // Two days back: yesterday's shift may be running, and clocks may have been changed.
  for (let day = localDay(timeZone, range.from) - 2 * dayMs; day <= localDay(timeZone, range.to); day += dayMs) {
    for (const shift of shiftsOn(day)) {
      const window = shiftOnDay(shift, timeZone, day);
      if (window === null || window.from >= range.to || window.to <= range.from) continue;
      worked.push({ ...window, date: dateOf(day), breaks: breaksOn(shift, timeZone, day, window) });
    }
  }
  return worked.sort((a, b) => a.from - b.from);
}

/**
 * The shift that is worked at `atMs`: of several that overlap the one listed first; null between shifts and on holidays. Throws as
 * `workedShifts` does.
 */
export function shiftAt(calendar: PlantCalendar, atMs: number): WorkedShift | null {
  const place = ({ shift }: WorkedShift): number => calendar.shifts.findIndex(({ id }) => id === shift.id);
  const running = workedShifts(calendar, { from: atMs, to: atMs + 1 });
  return [...running].sort((a, b) => place(a) - place(b))[0] ?? null;
}

/** Planned operation time in the range: shifts without their breaks, disjoint, oldest first. */
export function plannedTime(calendar: PlantCalendar, range: Span): readonly Span[] {
  const spans = workedShifts(calendar, range).flatMap(({ from, to, breaks }) => subtract([{ from, to }], breaks));
  return clip(union(spans), range);
}

/** `YYYY-MM-DD` of a local day (midnight as wall time written as if it were UTC). */
export function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

function shiftsByDay(calendar: PlantCalendar): (day: number) => readonly CalendarShift[] {
  const usual = calendar.shifts.length === 0 ? [aroundTheClock] : calendar.shifts;
  const exceptions = (calendar.exceptions ?? []).map(({ date, lastDate, shifts }) => ({
    first: dayOf(date),
    last: dayOf(lastDate ?? date),
    shifts: shifts.map((shift) => ({ ...shift, days: undefined })),
  }));
  return (day) => exceptions.findLast(({ first, last }) => first <= day && day <= last)?.shifts ?? usual;
}

function breaksOn(shift: CalendarShift, timeZone: string, day: number, window: Span): readonly Span[] {
  if (shift.breaks === undefined) return [];
  const spans = shift.breaks.map((rest) => {
    const start = minutesOfDay(rest.from);
    const firstDay = start < minutesOfDay(shift.from) ? day + dayMs : day;
    const lastDay = minutesOfDay(rest.to) <= start ? firstDay + dayMs : firstDay;
    return {
      from: wallToUtc(timeZone, firstDay + start * minuteMs),
      to: wallToUtc(timeZone, lastDay + minutesOfDay(rest.to) * minuteMs),
    };
  });
  return clip(union(spans), window);
}

function dayOf(date: string): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(day) || dateOf(day) !== date) throw new RangeError(`"${date}" is not a date: write YYYY-MM-DD, for example 2027-02-06`);
  return day;
}
