import { describe, expect, it } from 'vitest';
import { plantDay, shiftOnDay, wallToUtc } from './shift.ts';

describe('wallToUtc', () => {
  it('moves a start that the clocks skip forward, and takes the first of two', () => {
    expect(wallToUtc('Europe/Berlin', Date.UTC(2026, 2, 29, 2, 30))).toBe(Date.UTC(2026, 2, 29, 1, 30));
    expect(wallToUtc('Europe/Berlin', Date.UTC(2026, 9, 25, 2, 30))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });
});

describe('shiftOnDay', () => {
  it('refuses a time that is none', () => {
    expect(() => shiftOnDay({ id: 'X', from: '6', to: '14:00' }, 'Asia/Ho_Chi_Minh', 0)).toThrow(/HH:MM/);
  });
});

describe('plantDay', () => {
  it('starts at local midnight', () => {
    expect(plantDay('Asia/Ho_Chi_Minh', Date.UTC(2026, 10, 20, 18, 0))).toEqual({
      from: Date.UTC(2026, 10, 20, 17, 0),
      to: Date.UTC(2026, 10, 21, 17, 0),
    });
  });
});
