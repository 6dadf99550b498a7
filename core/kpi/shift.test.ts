import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plantDay, type ShiftRule, shiftAt, shiftWindows, wallToUtc } from './shift.ts';

const hourMs = 3_600_000;
const vietnam = 'Asia/Ho_Chi_Minh';
const threeShifts: readonly ShiftRule[] = [
  { id: 'A', from: '06:00', to: '14:00' },
  { id: 'B', from: '14:00', to: '22:00' },
  { id: 'C', from: '22:00', to: '06:00' },
];
const zones = [vietnam, 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];
const times = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });

describe('shiftAt', () => {
  it('finds the shift in plant time, across midnight', () => {
    const night = shiftAt(threeShifts, vietnam, Date.UTC(2026, 10, 20, 20, 0));
    expect(night).toEqual({ shift: threeShifts[2], from: Date.UTC(2026, 10, 20, 15, 0), to: Date.UTC(2026, 10, 20, 23, 0) });
    expect(shiftAt(threeShifts, vietnam, Date.UTC(2026, 10, 20, 23, 0))?.shift.id).toBe('A');
  });

  it('knows weekdays by the day on which a shift starts', () => {
    const fridayNight: ShiftRule = { id: 'N', from: '22:00', to: '06:00', days: [5] };
    // Friday 2026-11-20, 22:00 in Vietnam is 15:00 UTC.
    expect(shiftAt([fridayNight], vietnam, Date.UTC(2026, 10, 20, 22, 30))?.shift.id).toBe('N');
    expect(shiftAt([fridayNight], vietnam, Date.UTC(2026, 10, 21, 15, 30))).toBeNull();
    expect(shiftAt([fridayNight], vietnam, Date.UTC(2026, 10, 20, 14, 59))).toBeNull();
  });

  it('is an hour shorter or longer in the night in which the clocks change', () => {
    const spring = shiftAt(threeShifts, 'Europe/Berlin', Date.UTC(2026, 2, 29, 1, 30));
    expect(spring && spring.to - spring.from).toBe(7 * hourMs);
    const autumn = shiftAt(threeShifts, 'Europe/Berlin', Date.UTC(2026, 9, 25, 1, 30));
    expect(autumn && autumn.to - autumn.from).toBe(9 * hourMs);
  });

  it('moves a start that the clocks skip forward, and takes the first of two', () => {
    expect(wallToUtc('Europe/Berlin', Date.UTC(2026, 2, 29, 2, 30))).toBe(Date.UTC(2026, 2, 29, 1, 30));
    expect(wallToUtc('Europe/Berlin', Date.UTC(2026, 9, 25, 2, 30))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });

  it('refuses a time that is none', () => {
    expect(() => shiftAt([{ id: 'X', from: '6', to: '14:00' }], vietnam, 0)).toThrow(/HH:MM/);
  });

  it('covers all time without a gap or an overlap when the shifts do, in every zone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), times, (zone, at) => {
        const window = shiftAt(threeShifts, zone, at);
        expect(window).not.toBeNull();
        if (window === null) return;
        expect(window.from <= at && at < window.to).toBe(true);
        expect(shiftAt(threeShifts, zone, window.to)?.from).toBe(window.to);
        expect(shiftAt(threeShifts, zone, window.from - 1)?.to).toBe(window.from);
      }),
      { numRuns: 200 },
    );
  });
});

describe('shiftWindows', () => {
  it('lists, oldest first, exactly the shifts that overlap the range', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), times, fc.integer({ min: 1, max: 50 * hourMs }), (zone, from, length) => {
        const windows = shiftWindows(threeShifts, zone, from, from + length);
        expect(windows[0]).toEqual(shiftAt(threeShifts, zone, from));
        expect(windows.at(-1)).toEqual(shiftAt(threeShifts, zone, from + length - 1));
        for (const [i, window] of windows.entries()) if (i > 0) expect(window.from).toBe(windows[i - 1]?.to);
      }),
      { numRuns: 100 },
    );
  });
});

describe('plantDay', () => {
  it('starts at local midnight', () => {
    expect(plantDay(vietnam, Date.UTC(2026, 10, 20, 18, 0))).toEqual({
      from: Date.UTC(2026, 10, 20, 17, 0),
      to: Date.UTC(2026, 10, 21, 17, 0),
    });
  });
});
