import { casePacker } from '../machines/case-packer/machine.ts';
import { compressor } from '../machines/compressor/machine.ts';
import { filling } from '../machines/filling/machine.ts';
import { labelling } from '../machines/labelling/machine.ts';
import { powerMeter } from '../machines/power-meter/machine.ts';
import { type MachineSpec, machineOf, type PlantDefinition } from './definition.ts';
import { publicHolidays } from './holidays.ts';
import { reasonCodes } from './reason-codes.ts';

/** An invented bottler in Tây Ninh: water and soft drinks on two lines, three shifts, nobody there on Sundays. */

const noSunday = [1, 2, 3, 4, 5, 6];
const breaks = {
  morning: { from: '10:30', to: '11:00' },
  afternoon: { from: '18:00', to: '18:30' },
  night: { from: '02:00', to: '02:30' },
};
const threeShifts = {
  works: { morning: noSunday, afternoon: noSunday, night: noSunday },
  breaks: [breaks.morning, breaks.afternoon, breaks.night],
};
const always = { works: threeShifts.works, breaks: [], worksOnHolidays: true };

const bottleMs = 3_000;
const bottlesPerCase = 6;
const caseMs = bottleMs * bottlesPerCase;
const lotCases = 1_600;

/** A filler, a labeller and a packer; `n` is the number of the line. The case is what is sold, so all of them name it. */
function bottlingLine(n: number, names: readonly string[]): readonly MachineSpec[] {
  const bottles = names.map((name) => ({ name, idealCycleMs: bottleMs, lotPieces: lotCases * bottlesPerCase }));
  const cases = names.map((name) => ({ name, idealCycleMs: caseMs, lotPieces: lotCases }));
  const unit = 3 * (n - 1);
  const common = { ...threeShifts, line: `L${n}`, edge: 'edge-bottling', role: 'machine' } as const;
  return [
    machineOf(
      filling,
      { products: bottles, fillMl: 1_500 },
      {
        ...common,
        id: `CHI-0${n}`,
        name: { vi: `CHI-0${n}`, en: `CHI-0${n}` },
        kindName: { vi: 'Chiết rót', en: 'Filling' },
        unit: unit + 1,
        idealCycleMs: bottleMs,
        airRate: 0.9,
      },
    ),
    machineOf(
      labelling,
      { products: bottles },
      {
        ...common,
        id: `DAN-0${n}`,
        name: { vi: `DÁN-0${n}`, en: `DAN-0${n}` },
        kindName: { vi: 'Dán nhãn', en: 'Labelling' },
        unit: unit + 2,
        idealCycleMs: bottleMs,
        airRate: 0.5,
      },
    ),
    machineOf(
      casePacker,
      { products: cases, bottlesPerCase },
      {
        ...common,
        id: `DG-0${n}`,
        name: { vi: `ĐG-0${n}`, en: `DG-0${n}` },
        kindName: { vi: 'Đóng thùng', en: 'Case packer' },
        unit: unit + 3,
        idealCycleMs: caseMs,
        airRate: 1.1,
      },
    ),
  ];
}

const air = machineOf(
  compressor,
  { deliveryRate: 8, receiver: 3, loadBar: 6.3, unloadBar: 7.3, fullKw: 45 },
  {
    ...always,
    id: 'MNK-01',
    line: 'P',
    edge: 'edge-bottling',
    role: 'machine',
    name: { vi: 'MNK-01', en: 'MNK-01' },
    kindName: { vi: 'Máy nén khí', en: 'Air compressor' },
    unit: 10,
    airRate: 0,
  },
);

const mainMeter = machineOf(
  powerMeter,
  { startKwh: 731_400 },
  {
    ...always,
    id: 'CT-01',
    line: 'P',
    edge: 'edge-bottling',
    role: 'meter',
    name: { vi: 'CT-01', en: 'CT-01' },
    kindName: { vi: 'Công tơ tổng', en: 'Main meter' },
    unit: 11,
    airRate: 0,
    measures: 'all',
  },
);

const flow = (n: number): PlantDefinition['conveyors'] => [
  { from: `CHI-0${n}`, to: `DAN-0${n}`, capacity: 60 },
  { from: `DAN-0${n}`, to: `DG-0${n}`, capacity: 60 },
];

export const tayNinh: PlantDefinition = {
  id: 'tay-ninh',
  group: 'tayninh',
  enterprise: { vi: 'Công ty Nước giải khát Suối Nhịp (mô phỏng)', en: 'Suoi Nhip Beverages (simulated)' },
  site: { vi: 'Nhà máy Tây Ninh', en: 'Tay Ninh plant' },
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
    { id: 'night', name: { vi: 'Ca đêm', en: 'Night shift' }, from: '22:00', to: '06:00', days: noSunday, breaks: [breaks.night] },
  ],
  dayStart: '06:00',
  holidays: publicHolidays,
  reasonCodes,
  lines: [
    { id: 'L1', name: { vi: 'Dây chuyền 1 · Nước tinh khiết', en: 'Line 1 · Purified water' }, outputs: ['DG-01'] },
    { id: 'L2', name: { vi: 'Dây chuyền 2 · Nước ngọt', en: 'Line 2 · Soft drinks' }, outputs: ['DG-02'] },
    { id: 'P', name: { vi: 'Phụ trợ', en: 'Utilities' } },
  ],
  machines: [
    ...bottlingLine(1, ['Nước tinh khiết 6 × 1,5 L', 'Nước khoáng 6 × 1,5 L']),
    ...bottlingLine(2, ['Nước chanh 6 × 1,5 L', 'Trà chanh 6 × 1,5 L']),
    air,
    mainMeter,
  ],
  conveyors: [...flow(1), ...flow(2)],
  baseLoadKw: 22,
  outages: { meanBetweenMs: 6 * 86_400_000, meanLengthMs: 18 * 60_000 },
};
