/** A shift of the plant model, in wall time of the plant. */
export interface ShiftRule {
  readonly id: string;
  /** `HH:MM` */
  readonly from: string;
  /** `HH:MM`; at or before `from`: on the next day (equal: 24 h). */
  readonly to: string;
  /** ISO weekdays (1 Monday … 7 Sunday) on which it starts; absent: every day. */
  readonly days?: readonly number[] | undefined;
}

/** One occurrence of a shift: [from, to) in ms UTC. */
export interface ShiftWindow<Rule extends ShiftRule = ShiftRule> {
  readonly shift: Rule;
  readonly from: number;
  readonly to: number;
}

export const dayMs = 86_400_000;
export const minuteMs = 60_000;

/** The calendar day of the plant that holds `atMs`: [from, to) in ms UTC; 23 or 25 h long when the clocks change. */
export function plantDay(timeZone: string, atMs: number): { readonly from: number; readonly to: number } {
  const day = localDay(timeZone, atMs);
  return { from: wallToUtc(timeZone, day), to: wallToUtc(timeZone, day + dayMs) };
}

/**
 * The time at which a wall clock in `timeZone` shows `wallMs` (wall time written as if it were UTC). A wall time that the
 * clocks skip moves forward by the skipped hour; one that they show twice is the first of the two.
 */
export function wallToUtc(timeZone: string, wallMs: number): number {
  const midnight = Math.floor(wallMs / dayMs) * dayMs;
  const usual = offsetMs(timeZone, midnight - dayMs);
  if (offsetMs(timeZone, midnight + 2 * dayMs) === usual) return wallMs - usual;
  const before = offsetMs(timeZone, wallMs - dayMs);
  const after = offsetMs(timeZone, wallMs + dayMs);
  const early = wallMs - before;
  if (offsetMs(timeZone, early) === before) return early;
  const late = wallMs - after;
  return offsetMs(timeZone, late) === after ? late : early;
}

/** The occurrence that starts on a local day (`localDay`); null on weekdays on which it does not. */
export function shiftOnDay<Rule extends ShiftRule>(shift: Rule, timeZone: string, day: number): ShiftWindow<Rule> | null {
  if (shift.days !== undefined && !shift.days.includes(isoWeekday(day))) return null;
  const from = day + minutesOfDay(shift.from) * minuteMs;
  const to = day + minutesOfDay(shift.to) * minuteMs;
  return { shift, from: wallToUtc(timeZone, from), to: wallToUtc(timeZone, to > from ? to : to + dayMs) };
}

/** Midnight of the local day that holds `atMs`, as wall time written as if it were UTC. */
export function localDay(timeZone: string, atMs: number): number {
  const wall = atMs + offsetMs(timeZone, atMs);
  return Math.floor(wall / dayMs) * dayMs;
}

/** 1 Monday … 7 Sunday, of a local day. */
export function isoWeekday(day: number): number {
  return new Date(day).getUTCDay() || 7;
}

/** Minutes since midnight of `HH:MM`; 24:00 is allowed. Throws a RangeError for other text. */
export function minutesOfDay(text: string): number {
  const match = /^(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a time of day: write HH:MM, for example 06:00`);
  return Number(match[1] ?? match[3]) * 60 + Number(match[2] ?? match[4]);
}

/** What is known of a zone: offsets by minute. Asking the runtime is slow, and calendars ask for the same days again. */
interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();
const maxOffsets = 20_000;

/** Wall time minus UTC at `atMs`, ms, to the minute. Throws a RangeError for an unknown time zone. */
function offsetMs(timeZone: string, atMs: number): number {
  const zone = zoneOf(timeZone);
  const minute = Math.floor(atMs / minuteMs);
  const known = zone.offsets.get(minute);
  if (known !== undefined) return known;
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of zone.format.formatToParts(atMs)) part[type] = Number(value);
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute);
  const offset = wall - minute * minuteMs;
  if (zone.offsets.size >= maxOffsets) zone.offsets.clear();
  zone.offsets.set(minute, offset);
  return offset;
}

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known !== undefined) return known;
  const twoDigits = '2-digit';
  const format = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: twoDigits,
    day: twoDigits,
    hour: twoDigits,
    minute: twoDigits,
  });
  const zone = { format, offsets: new Map<number, number>() };
  zones.set(timeZone, zone);
  return zone;
}
