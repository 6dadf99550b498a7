import { describe, expect, it } from 'vitest';
import { hoaLac } from '../plants/hoa-lac.ts';
import { scheduleAt, type WorkPlan } from './calendar.ts';

const plan: WorkPlan = {
  shifts: hoaLac.shifts.map((shift) => ({ shift, days: [1, 2, 3, 4, 5, 6] })),
  breaks: [{ from: '11:30', to: '12:00' }],
  holidays: ['2026-11-18'],
};

/** Local time in Hòa Lạc. */
function at(local: string) {
  return scheduleAt(plan, hoaLac.utcOffsetMs, Date.parse(`${local}+07:00`));
}

describe('scheduleAt', () => {
  it.each([
    ['2026-11-16T06:00:00', 'work'],
    ['2026-11-16T05:59:59', 'off'],
    ['2026-11-16T11:30:00', 'break'],
    ['2026-11-16T12:00:00', 'work'],
    ['2026-11-18T05:59:59', 'work'],
    ['2026-11-18T06:00:00', 'off'],
    ['2026-11-19T05:59:59', 'off'],
    ['2026-11-19T06:00:00', 'work'],
    ['2026-11-21T23:30:00', 'work'],
    ['2026-11-22T05:59:59', 'work'],
    ['2026-11-22T06:00:00', 'off'],
    ['2026-11-22T23:00:00', 'off'],
  ] as const)('%s is %s when Sunday and a Wednesday are free and the night belongs to the day it starts on', (local, expected) => {
    expect(at(local)).toBe(expected);
  });
});
