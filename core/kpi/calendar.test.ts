import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlantCalendar, plannedTime, shiftAt, workedShifts } from './calendar.ts';
import { type PeriodKind, periodAt, periodKinds, periodsIn } from './periods.ts';
import { covers, type Span, subtract, union } from './span.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const vietnam = 'Asia/Ho_Chi_Minh';
const breaks = [
  { from: '02:00', to: '02:30' },
  { from: '23:45', to: '00:15' },
];
const threeShifts: PlantCalendar = {
  timeZone: vietnam,
  dayStart: '06:00',
  shifts: [
    { id: 'A', from: '06:00', to: '14:00', breaks: [{ from: '11:30', to: '12:00' }], days: [1, 2, 3, 4, 5, 6] },
    { id: 'B', from: '14:00', to: '22:00', days: [1, 2, 3, 4, 5, 6] },
    { id: 'C', from: '22:00', to: '06:00', breaks, days: [1, 2, 3, 4, 5] },
  ],
};
const zones = [vietnam, 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];

function total(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** [06:00, 06:00) in Vietnam. */
function bookDay(month: number, day: number): Span {
  const from = Date.UTC(2027, month - 1, day - 1, 23);
  return { from, to: from + 24 * hourMs };
}

describe('plannedTime', () => {
  it('is the shifts without their breaks, across midnight', () => {
    // Thursday 2027-03-04
    const planned = plannedTime(threeShifts, bookDay(3, 4));
    expect(total(planned)).toBe(24 * hourMs - 90 * minuteMs);
    expect(covers(planned, Date.UTC(2027, 2, 4, 4, 45))).toBe(false);
    expect(covers(planned, Date.UTC(2027, 2, 4, 16, 50))).toBe(false);
    expect(covers(planned, Date.UTC(2027, 2, 4, 19, 10))).toBe(false);
    expect(covers(planned, Date.UTC(2027, 2, 4, 19, 40))).toBe(true);
  });

  it('leaves out weekends and holidays; a night shift goes on into the holiday', () => {
    expect(total(plannedTime(threeShifts, bookDay(3, 7)))).toBe(0);
    const holidays = { ...threeShifts, exceptions: [{ date: '2027-03-04', lastDate: '2027-03-05', shifts: [] }] };
    expect(total(plannedTime(holidays, bookDay(3, 4)))).toBe(0);
    const midnight = Date.UTC(2027, 2, 3, 17);
    expect(total(plannedTime(holidays, { from: midnight, to: midnight + 24 * hourMs }))).toBe(6 * hourMs - 45 * minuteMs);
  });

  it('knows extra days, with shifts of their own', () => {
    const overtime: PlantCalendar = {
      ...threeShifts,
      exceptions: [{ date: '2027-03-07', shifts: [{ id: 'X', from: '08:00', to: '12:00', days: [1] }] }],
    };
    expect(total(plannedTime(overtime, bookDay(3, 7)))).toBe(4 * hourMs);
    expect(periodsIn(overtime, 'shift', bookDay(3, 7)).map(({ shift, date }) => [shift, date])).toEqual([['X', '2027-03-07']]);
  });

  it('is all the time where a plant names no shifts', () => {
    const always: PlantCalendar = { timeZone: 'Europe/Berlin', shifts: [] };
    const range = { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 10, 1) };
    expect(plannedTime(always, range)).toEqual([range]);
  });

  it('has an hour less or more in the nights in which the clocks change', () => {
    const berlin: PlantCalendar = { timeZone: 'Europe/Berlin', shifts: [{ id: 'N', from: '22:00', to: '06:00' }] };
    const night = (from: number) => total(plannedTime(berlin, { from, to: from + 12 * hourMs }));
    expect(night(Date.UTC(2026, 2, 28, 20))).toBe(7 * hourMs);
    expect(night(Date.UTC(2026, 9, 24, 19))).toBe(9 * hourMs);
  });

  it('refuses a date that is none', () => {
    const wrong = { ...threeShifts, exceptions: [{ date: '2027-02-30', shifts: [] }] };
    expect(() => plannedTime(wrong, bookDay(3, 4))).toThrow(/YYYY-MM-DD/);
  });

  it('is cut anywhere without a difference', () => {
    const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), at, fc.nat(80 * hourMs), fc.nat(80 * hourMs), (timeZone, from, a, b) => {
        const calendar = { ...threeShifts, timeZone };
        const apart = [...plannedTime(calendar, { from, to: from + a }), ...plannedTime(calendar, { from: from + a, to: from + a + b })];
        expect(union(apart)).toEqual(plannedTime(calendar, { from, to: from + a + b }));
      }),
      { numRuns: 60 },
    );
  });
});

describe('periodsIn', () => {
  it('divides time without gap or overlap: hours into days, days into weeks and months, in every zone', () => {
    const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
    const dayStart = fc.constantFrom('00:00', '06:00', '07:30', '02:30');
    fc.assert(
      fc.property(fc.constantFrom(...zones), dayStart, at, (timeZone, start, from) => {
        const calendar: PlantCalendar = { timeZone, dayStart: start, shifts: [] };
        const day = periodAt(calendar, 'day', from);
        const month = periodAt(calendar, 'month', from);
        if (day === null || month === null) throw new Error('no period');
        expect(day.from <= from && from < day.to).toBe(true);
        for (const [whole, kind] of [
          [day, 'hour'],
          [month, 'day'],
          [month, 'hour'],
        ] as const) {
          const periods = periodsIn(calendar, kind, whole);
          expect(periods[0]?.from).toBe(whole.from);
          expect(periods.at(-1)?.to).toBe(whole.to);
          for (const [i, period] of periods.entries()) if (i > 0) expect(period.from).toBe(periods[i - 1]?.to);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('names them by the local date of the books', () => {
    const dateAt = (kind: PeriodKind, at: number) => periodAt(threeShifts, kind, at)?.date;
    // Monday 2027-03-01, 05:30 in Vietnam: still Sunday in the books.
    const early = Date.UTC(2027, 1, 28, 22, 30);
    expect(periodKinds.map((kind) => dateAt(kind, early))).toEqual(['2027-02-28', undefined, '2027-02-28', '2027-02-22', '2027-02-01']);
    expect(periodKinds.map((kind) => dateAt(kind, early + hourMs))).toEqual(Array(5).fill('2027-03-01'));
    expect(periodsIn(threeShifts, 'shift', bookDay(3, 4)).map(({ shift }) => shift)).toEqual(['A', 'B', 'C']);
  });

  it('has days of 23 and 25 hours', () => {
    const berlin: PlantCalendar = { timeZone: 'Europe/Berlin', shifts: [] };
    const hours = (at: number) => periodsIn(berlin, 'hour', periodAt(berlin, 'day', at) ?? { from: 0, to: 0 }).length;
    expect(hours(Date.UTC(2026, 2, 29, 12))).toBe(23);
    expect(hours(Date.UTC(2026, 9, 25, 12))).toBe(25);
  });
});

/** Three shifts a day, every day. */
const everyDay = (timeZone: string): PlantCalendar => ({
  timeZone,
  shifts: threeShifts.shifts.map(({ id, from, to }) => ({ id, from, to })),
});
const anyTime = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });

describe('workedShifts', () => {
  it('is empty for an empty range', () => {
    expect(workedShifts(threeShifts, { from: 5, to: 5 })).toEqual([]);
  });

  it('lists, oldest first, exactly the shifts that overlap the range', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyTime, fc.integer({ min: 1, max: 50 * hourMs }), (zone, from, length) => {
        const worked = workedShifts(everyDay(zone), { from, to: from + length });
        expect(worked[0]).toEqual(shiftAt(everyDay(zone), from));
        expect(worked.at(-1)).toEqual(shiftAt(everyDay(zone), from + length - 1));
        for (const [i, shift] of worked.entries()) if (i > 0) expect(shift.from).toBe(worked[i - 1]?.to);
      }),
      { numRuns: 100 },
    );
  });
});

describe('shiftAt', () => {
  it('finds the shift in plant time, across midnight', () => {
    const night = shiftAt(everyDay(vietnam), Date.UTC(2026, 10, 20, 20, 0));
    expect(night).toMatchObject({ shift: { id: 'C' }, from: Date.UTC(2026, 10, 20, 15, 0), to: Date.UTC(2026, 10, 20, 23, 0) });
    expect(shiftAt(everyDay(vietnam), Date.UTC(2026, 10, 20, 23, 0))?.shift.id).toBe('A');
  });

  it('knows weekdays by the day on which a shift starts', () => {
    const fridayNight: PlantCalendar = { timeZone: vietnam, shifts: [{ id: 'N', from: '22:00', to: '06:00', days: [5] }] };
    // Friday 2026-11-20, 22:00 in Vietnam is 15:00 UTC.
    expect(shiftAt(fridayNight, Date.UTC(2026, 10, 20, 22, 30))?.shift.id).toBe('N');
    expect(shiftAt(fridayNight, Date.UTC(2026, 10, 21, 15, 30))).toBeNull();
    expect(shiftAt(fridayNight, Date.UTC(2026, 10, 20, 14, 59))).toBeNull();
  });

  it('is null on a holiday but for the night shift before it, and finds the shift of an extra day', () => {
    const [first] = threeShifts.shifts;
    const exceptions = [
      { date: '2027-03-04', shifts: [] },
      { date: '2027-03-07', shifts: first === undefined ? [] : [first] },
    ];
    const at = (date: number, hour: number) => shiftAt({ ...threeShifts, exceptions }, Date.UTC(2027, 2, date, hour - 7))?.shift.id;
    expect([at(4, 5), at(4, 10), at(4, 23), at(5, 5), at(5, 10)]).toEqual(['C', undefined, undefined, undefined, 'A']);
    expect([at(7, 10), at(7, 15)]).toEqual(['A', undefined]);
  });

  it('takes of several that overlap the one listed first', () => {
    const late = { id: 'L', from: '10:00', to: '18:00' };
    const day = { id: 'D', from: '08:00', to: '16:00' };
    const noon = Date.UTC(2027, 2, 4, 5);
    for (const shifts of [
      [late, day],
      [day, late],
    ])
      expect(shiftAt({ timeZone: vietnam, shifts }, noon)?.shift).toEqual(shifts[0]);
  });

  it('is an hour shorter or longer in the night in which the clocks change', () => {
    const spring = shiftAt(everyDay('Europe/Berlin'), Date.UTC(2026, 2, 29, 1, 30));
    expect(spring && spring.to - spring.from).toBe(7 * hourMs);
    const autumn = shiftAt(everyDay('Europe/Berlin'), Date.UTC(2026, 9, 25, 1, 30));
    expect(autumn && autumn.to - autumn.from).toBe(9 * hourMs);
  });

  it('covers all time without a gap or an overlap when the shifts do, in every zone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyTime, (zone, at) => {
        const running = shiftAt(everyDay(zone), at);
        expect(running).not.toBeNull();
        if (running === null) return;
        expect(running.from <= at && at < running.to).toBe(true);
        expect(shiftAt(everyDay(zone), running.to)?.from).toBe(running.to);
        expect(shiftAt(everyDay(zone), running.from - 1)?.to).toBe(running.from);
      }),
      { numRuns: 200 },
    );
  });
});

it('subtracts spans moment by moment', () => {
  const spans = fc
    .array(fc.record({ from: fc.nat(60), ms: fc.nat(20) }), { maxLength: 8 })
    .map((list) => union(list.map(({ from, ms }) => ({ from, to: from + ms }))));
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const rest = subtract(a, b);
      for (let at = 0; at < 80; at++) expect(covers(rest, at)).toBe(covers(a, at) && !covers(b, at));
      expect(union(rest)).toEqual(rest);
    }),
  );
});
