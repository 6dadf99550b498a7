import { cnc } from '../machines/cnc/machine.ts';
import { powerMeter } from '../machines/power-meter/machine.ts';
import { weldingRobot } from '../machines/welding-robot/machine.ts';
import { type MachineSpec, machineOf, type PlantDefinition } from './definition.ts';
import { publicHolidays } from './holidays.ts';
import { reasonCodes } from './reason-codes.ts';

/** An invented maker of metal parts in Bắc Ninh: milled and welded frames, turned shafts; two shifts, not on Sundays. */

const noSunday = [1, 2, 3, 4, 5, 6];
const breaks = { morning: { from: '11:30', to: '12:00' }, afternoon: { from: '18:30', to: '19:00' } };
const twoShifts = { works: { morning: noSunday, afternoon: noSunday }, breaks: [breaks.morning, breaks.afternoon] };

const common = { ...twoShifts, edge: 'edge-metal', role: 'machine', airRate: 0.4 } as const;
const named = (id: string): Pick<MachineSpec, 'id' | 'name'> => ({ id, name: { vi: id, en: id } });

const frames = (cycleMs: number) => [
  { name: 'Khung gá K1', idealCycleMs: cycleMs, lotPieces: 500 },
  { name: 'Khung gá K2', idealCycleMs: cycleMs, lotPieces: 350 },
];
const shafts = [
  { name: 'Trục truyền D20', idealCycleMs: 40_000, lotPieces: 900 },
  { name: 'Trục truyền D32', idealCycleMs: 46_000, lotPieces: 700 },
];

const mill = (id: string): MachineSpec =>
  machineOf(
    cnc,
    { products: frames(50_000), spindleSpeed: 8_800, runKw: 13, toolLife: 250 },
    { ...common, ...named(id), line: 'L1', kindName: { vi: 'Phay 3 trục', en: '3-axis mill' }, idealCycleMs: 50_000 },
  );

const lathe = (id: string): MachineSpec =>
  machineOf(
    cnc,
    { products: shafts, spindleSpeed: 3_000, runKw: 9, toolLife: 420 },
    { ...common, ...named(id), line: 'L2', kindName: { vi: 'Tiện', en: 'Lathe' }, idealCycleMs: 40_000 },
  );

const robot = (id: string): MachineSpec =>
  machineOf(
    weldingRobot,
    { products: frames(48_000) },
    { ...common, ...named(id), line: 'L1', kindName: { vi: 'Robot hàn', en: 'Welding robot' }, idealCycleMs: 48_000 },
  );

const mainMeter = machineOf(
  powerMeter,
  { startKwh: 288_900 },
  {
    ...common,
    ...named('CT-01'),
    line: 'E',
    role: 'meter',
    kindName: { vi: 'Công tơ tổng', en: 'Main meter' },
    unit: 1,
    airRate: 0,
    measures: 'all',
  },
);

export const bacNinh: PlantDefinition = {
  id: 'bac-ninh',
  group: 'bacninh',
  enterprise: { vi: 'Công ty Cơ khí Sông Nhịp (mô phỏng)', en: 'Song Nhip Metalworks (simulated)' },
  site: { vi: 'Nhà máy Bắc Ninh', en: 'Bac Ninh plant' },
  timeZone: 'Asia/Ho_Chi_Minh',
  utcOffsetMs: 7 * 3_600_000,
  shifts: [
    {
      id: 'morning',
      name: { vi: 'Ca sáng', en: 'Morning shift' },
      from: '06:00',
      to: '14:00',
      days: noSunday,
      breaks: [breaks.morning],
    },
    {
      id: 'afternoon',
      name: { vi: 'Ca chiều', en: 'Afternoon shift' },
      from: '14:00',
      to: '22:00',
      days: noSunday,
      breaks: [breaks.afternoon],
    },
  ],
  dayStart: '06:00',
  holidays: publicHolidays,
  reasonCodes,
  lines: [
    { id: 'L1', name: { vi: 'Dây chuyền 1 · Phay và hàn', en: 'Line 1 · Milling and welding' }, outputs: ['RB-01', 'RB-02'] },
    { id: 'L2', name: { vi: 'Dây chuyền 2 · Tiện', en: 'Line 2 · Turning' }, outputs: ['CNC-03', 'CNC-04'] },
    { id: 'E', name: { vi: 'Năng lượng', en: 'Energy' } },
  ],
  machines: [mill('CNC-01'), mill('CNC-02'), robot('RB-01'), robot('RB-02'), lathe('CNC-03'), lathe('CNC-04'), mainMeter],
  conveyors: [
    { from: 'CNC-01', to: 'RB-01', capacity: 8 },
    { from: 'CNC-02', to: 'RB-02', capacity: 8 },
  ],
  baseLoadKw: 12,
  outages: { meanBetweenMs: 4 * 86_400_000, meanLengthMs: 20 * 60_000 },
};
