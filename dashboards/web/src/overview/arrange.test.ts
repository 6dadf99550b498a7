import type { MachineView, PlantView } from '@nhip/core/wire/live';
import { describe, expect, it } from 'vitest';
import { blankMachine } from '../feed/plant-state.ts';
import { arrange, readWish } from './arrange.ts';
import { tileColumns } from './columns.ts';
import { figuresOf } from './figures.ts';
import { fitTv } from './fit-tv.ts';

const machine = (id: string, rest: Partial<MachineView> = {}): MachineView => ({
  ...blankMachine(id),
  state: 'running',
  countGood: 10,
  ...rest,
});
const plant: PlantView = {
  name: { vi: 'Xưởng', en: 'Plant' },
  timeZone: 'Asia/Ho_Chi_Minh',
  lines: [
    { id: 'l1', name: { vi: 'Dây 1', en: 'Line 1' }, machines: ['b', 'a'] },
    { id: 'l2', name: { vi: 'Dây 2', en: 'Line 2' }, machines: [] },
  ],
  shift: null,
};
const all = readWish(new URLSearchParams());
const layout = (groups: ReturnType<typeof arrange<MachineView>>) =>
  groups.map((group) => [group.kind, group.id, group.machines.map((one) => one.id)]);

describe('arrange', () => {
  it('follows the plan, then the lines that only births name, then the rest', () => {
    const machines = [machine('x'), machine('a'), machine('c', { line: 'l1' }), machine('b'), machine('d', { line: 'Đóng gói' })];
    expect(layout(arrange(plant, machines, all))).toEqual([
      ['line', 'l1', ['b', 'a', 'c']],
      ['line', 'Đóng gói', ['d']],
      ['other', '', ['x']],
    ]);
  });

  it('puts those who need a person first', () => {
    const machines = [
      machine('a'),
      machine('b', { state: 'idle', reason: 'no material' }),
      machine('c', { state: 'fault' }),
      machine('d', { connection: 'agentOffline' }),
    ];
    expect(layout(arrange(plant, machines, { ...all, sort: 'worst' }))).toEqual([['worst', 'worst', ['c', 'd', 'b', 'a']]]);
  });

  it('filters by need and by words without accents', () => {
    const machines = [
      machine('a', { name: 'Máy đập' }),
      machine('b', { state: 'fault', reason: 'jam' }),
      machine('c', { alarms: ['hot'] }),
      machine('d', { state: 'idle' }),
    ];
    const kept = (patch: Partial<typeof all>) =>
      arrange(null, machines, { ...all, ...patch }).flatMap((group) => group.machines.map((one) => one.id));
    expect(kept({ search: 'may DAP' })).toEqual(['a']);
    expect(kept({ filter: 'noReason' })).toEqual(['d']);
    expect(kept({ filter: 'alarm' })).toEqual(['c']);
    expect(kept({ filter: 'attention' }).sort()).toEqual(['b', 'c', 'd']);
  });

  it('reads the wish from the URL and forgives nonsense', () => {
    expect(readWish(new URLSearchParams('sort=worst&show=alarm&q=cnc'))).toEqual({ sort: 'worst', filter: 'alarm', search: 'cnc' });
    expect(readWish(new URLSearchParams('sort=x&show=y'))).toEqual({ sort: 'layout', filter: 'all', search: '' });
  });
});

describe('figuresOf', () => {
  it('adds up, and compares pieces only where there is an ideal', () => {
    const figures = figuresOf([
      machine('a', { countGood: 80, countIdeal: 100, powerKw: 5 }),
      machine('b', { countGood: 7, state: 'fault', since: 50, alarms: ['x', 'y'], powerKw: 3 }),
      machine('c', { state: 'stopped', reason: 'break' }),
      machine('d', { state: 'running', connection: 'plcUnreachable', powerKw: 99 }),
    ]);
    expect(figures).toEqual({
      running: 1,
      withState: 4,
      stopped: 2,
      withoutReason: 1,
      oldestWithoutReason: 50,
      good: 80,
      ideal: 100,
      powerKw: 8,
      alarms: 2,
      machinesWithAlarms: 1,
    });
  });

  it('does not count power twice where meters measure the machines', () => {
    const names = { name: { vi: '', en: '' }, kind: { vi: '', en: '' } };
    const meter = (powerKw: number, measures?: string) => ({
      ...machine('m', { state: 'unknown', countGood: null, powerKw }),
      plan: measures === undefined ? null : { ...names, role: 'meter' as const, measures },
    });
    const mill = machine('a', { powerKw: 30 });
    expect(figuresOf([mill, meter(40, 'all'), meter(31, 'L1')])).toMatchObject({ powerKw: 40, withState: 1 });
    expect(figuresOf([mill, meter(40), meter(31)])).toMatchObject({ powerKw: 30, withState: 1 });
    expect(figuresOf([meter(40), meter(31)])).toMatchObject({ powerKw: 71, withState: 0 });
  });

  it('says "not known" instead of zero', () => {
    expect(figuresOf([])).toMatchObject({ good: null, ideal: null, powerKw: null });
  });
});

describe('layout of tiles', () => {
  it('shows two columns on a phone and never more than the longest line needs', () => {
    expect(tileColumns(366, [4, 9])).toBe(2);
    expect(tileColumns(1400, [4, 5])).toBe(5);
    expect(tileColumns(1880, [4, 5])).toBe(5);
    expect(tileColumns(900, [9])).toBe(3);
  });

  it('fits a TV without scrolling, in larger type for fewer machines', () => {
    const few = fitTv(1920, 1080, [4, 4]);
    const some = fitTv(1920, 1080, [4, 5, 3, 2]);
    const many = fitTv(
      1920,
      1080,
      Array.from({ length: 6 }, () => 20),
    );
    expect(few.fontPx).toBeGreaterThan(some.fontPx);
    expect(some.fontPx).toBeGreaterThan(18);
    expect(many.density).toBe('tiny');
    expect(fitTv(1920, 1080, [12, 15, 9, 4]).density).toBe('mini');
    expect(fitTv(3840, 2160, [4, 5, 3, 2]).fontPx).toBeCloseTo(some.fontPx * 2);
  });
});
