import type { Shift } from '@nhip/core/wire/plant';
import type { Schedule } from '../machine.ts';

/**
 * Who works when. Time zones without summer time only (Asia/Ho_Chi_Minh): local time = UTC + a fixed offset, which keeps the
 * calendar pure arithmetic.
 */

/** The shifts in which a machine is manned. */
export interface WorkPlan {
  readonly shifts: readonly WorkShift[];
  readonly breaks: readonly Break[];
  /** Local dates `YYYY-MM-DD` on which none of them starts. */
  readonly holidays?: readonly string[];
}

/** A shift that crosses midnight belongs to the day on which it starts. Days: 1 Monday … 7 Sunday. */
export interface WorkShift {
  readonly shift: Shift;
  readonly days: readonly number[];
}

/** Local times `HH:MM`, within one day. */
export interface Break {
  readonly from: string;
  readonly to: string;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

export function scheduleAt(plan: WorkPlan, utcOffsetMs: number, nowMs: number): Schedule {
  const localMs = nowMs + utcOffsetMs;
  const minute = Math.floor((localMs % dayMs) / minuteMs);
  const today = weekday(localMs);
  const yesterday = weekday(localMs - dayMs);
  const [isFreeToday, isFreeYesterday] = [localMs, localMs - dayMs].map((day) => plan.holidays?.includes(dateOf(day)) === true);
  const isManned = plan.shifts.some(({ shift, days }) => {
    const [from, to] = [minuteOf(shift.from), minuteOf(shift.to)];
    const startsToday = !isFreeToday && days.includes(today);
    if (from < to) return minute >= from && minute < to && startsToday;
    return (minute >= from && startsToday) || (minute < to && !isFreeYesterday && days.includes(yesterday));
  });
  if (!isManned) return 'off';
  return plan.breaks.some((pause) => minute >= minuteOf(pause.from) && minute < minuteOf(pause.to)) ? 'break' : 'work';
}

function dateOf(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 10);
}

/** 1970-01-01 was a Thursday (4). */
function weekday(localMs: number): number {
  return ((Math.floor(localMs / dayMs) + 3) % 7) + 1;
}

/** Minutes since midnight of `HH:MM`. */
function minuteOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
