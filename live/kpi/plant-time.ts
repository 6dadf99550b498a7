import { type PlantCalendar, plannedTime, workedShifts } from '@nhip/core/kpi/calendar';
import { type Period, periodAt, periodsIn } from '@nhip/core/kpi/periods';
import { reasonMap } from '@nhip/core/kpi/reasons';
import type { Span } from '@nhip/core/kpi/span';
import { defaultRules, type TimeRules } from '@nhip/core/kpi/time-model';
import type { PlantModel } from '@nhip/core/wire/plant';

/** The plant's time: calendar, days of the books, and the rules by which time is sorted. */
export interface PlantTime {
  readonly calendar: PlantCalendar;
  readonly rules: TimeRules;
  /** Planned operation time, as far before the span as a failure may last. */
  planned(span: Span): readonly Span[];
  /** Days of the books that overlap the span, whole, oldest first. */
  days(span: Span): readonly Period[];
  day(atMs: number): Period;
  /** Where figures are cut within a span: hours of the books, shifts and breaks. With both ends, in order. */
  cuts(span: Span): readonly number[];
}

/** Where no plant model tells. */
const defaultTimeZone = 'Asia/Ho_Chi_Minh';
/** A failure that lasts longer is counted again. */
const failureBackMs = 14 * 86_400_000;

/** When the plant means to work. Without a plant model: around the clock. */
export function plantCalendar(plant: PlantModel | null): PlantCalendar {
  const shifts = plant?.shifts ?? [];
  return {
    timeZone: plant?.timeZone ?? defaultTimeZone,
    shifts,
    ...(plant?.dayStart === undefined ? {} : { dayStart: plant.dayStart }),
    exceptions: (plant?.exceptions ?? []).map(({ date, lastDate, shifts: worked }) => ({
      date,
      ...(lastDate === undefined ? {} : { lastDate }),
      shifts: shifts.filter(({ id }) => worked.includes(id)),
    })),
  };
}

export function createPlantTime(plant: PlantModel | null): PlantTime {
  const calendar = plantCalendar(plant);
  const rules: TimeRules = {
    reasons: reasonMap(plant?.reasonCodes),
    microStopMs: plant?.microStopMs ?? defaultRules.microStopMs,
  };
  return {
    calendar,
    rules,
    planned: ({ from, to }) => plannedTime(calendar, { from: from - failureBackMs, to }),
    days: (span) => periodsIn(calendar, 'day', span),
    day(atMs) {
      const day = periodAt(calendar, 'day', atMs);
      if (day === null) throw new RangeError(`${atMs} ms is in no day`);
      return day;
    },
    cuts(span) {
      const cuts = new Set([span.from, span.to]);
      const add = (part: Span): void => {
        for (const at of [part.from, part.to]) if (at > span.from && at < span.to) cuts.add(at);
      };
      for (const hour of periodsIn(calendar, 'hour', span)) add(hour);
      for (const shift of workedShifts(calendar, span)) {
        add(shift);
        for (const rest of shift.breaks) add(rest);
      }
      return [...cuts].sort((a, b) => a - b);
    },
  };
}

/** The parts of a span between its cuts. */
export function spansBetween(cuts: readonly number[]): readonly Span[] {
  return cuts.slice(1).map((to, i) => ({ from: cuts[i] as number, to }));
}
