import type { PlantDefinition } from './definition.ts';

/** Public holidays of Việt Nam as simulated plants keep them. */
export const publicHolidays: PlantDefinition['holidays'] = [
  { date: '2026-01-01', name: { vi: 'Tết Dương lịch', en: 'New Year' } },
  { date: '2026-02-16', lastDate: '2026-02-20', name: { vi: 'Tết Nguyên đán', en: 'Lunar New Year' } },
  { date: '2026-04-30', lastDate: '2026-05-01', name: { vi: 'Giải phóng miền Nam, Quốc tế Lao động', en: 'Reunification and Labour Day' } },
  { date: '2026-09-01', lastDate: '2026-09-02', name: { vi: 'Quốc khánh', en: 'National Day' } },
  { date: '2027-01-01', name: { vi: 'Tết Dương lịch', en: 'New Year' } },
  { date: '2027-02-05', lastDate: '2027-02-09', name: { vi: 'Tết Nguyên đán', en: 'Lunar New Year' } },
];
