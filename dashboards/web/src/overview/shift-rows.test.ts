import type { KpiRow } from '@nhip/core/kpi/answers';
import { emptyParts } from '@nhip/core/kpi/parts';
import { expect, it } from 'vitest';
import { shiftFigures } from './shift-rows.ts';

const row = (kind: 'site' | 'line', id: string, from: number, to: number, potMs = 100): KpiRow =>
  ({ scope: { kind, id, name: { vi: id, en: id } }, period: { from, to }, parts: { ...emptyParts(), potMs } }) as KpiRow;

it('takes the rows of the shift that runs, of shifts that overlap the first', () => {
  const rows = [
    row('site', 'site', 0, 50),
    row('line', 'L1', 0, 50),
    row('site', 'site', 40, 100),
    row('line', 'L1', 40, 100),
    row('line', 'L2', 40, 100, 0),
  ];
  const figures = shiftFigures(rows, 45);
  expect(figures.site?.period.from).toBe(0);
  expect([...figures.lines].map(([id, { period }]) => [id, period.from])).toEqual([['L1', 0]]);
  expect(shiftFigures(rows, 100).site).toBeNull();
});
