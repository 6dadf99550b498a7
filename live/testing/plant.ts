import type { PlantModel } from '@nhip/core/wire/plant';

/** A small plant for tests: one line, two machines, three shifts around the clock. */
export const press = 'hoalac/press/M01';
export const lathe = 'hoalac/press/M02';

export const plant: PlantModel = {
  enterprise: { vi: 'Nhịp', en: 'Nhip' },
  site: { vi: 'Xưởng Hòa Lạc', en: 'Hoa Lac plant' },
  timeZone: 'Asia/Ho_Chi_Minh',
  lines: [{ id: 'L1', name: { vi: 'Chuyền 1', en: 'Line 1' }, machines: [press, lathe] }],
  machines: {
    [press]: { role: 'machine', name: { vi: 'Máy dập 1', en: 'Press 1' }, kind: { vi: 'Máy dập', en: 'Press' }, idealCycleMs: 10_000 },
    [lathe]: { role: 'machine', name: { vi: 'Máy tiện', en: 'Lathe' }, kind: { vi: 'CNC', en: 'CNC' } },
  },
  shifts: [
    { id: 'A', name: { vi: 'Ca 1', en: 'Shift 1' }, from: '06:00', to: '14:00' },
    { id: 'B', name: { vi: 'Ca 2', en: 'Shift 2' }, from: '14:00', to: '22:00' },
    { id: 'C', name: { vi: 'Ca 3', en: 'Shift 3' }, from: '22:00', to: '06:00' },
  ],
  reasons: { jam: { vi: 'Kẹt phôi', en: 'Jam' } },
};

/** 06:00 in the plant on Friday, 20 November 2026: shift A starts. */
export const shiftStartMs = Date.UTC(2026, 10, 19, 23, 0);
