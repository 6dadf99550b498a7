import { casePacker } from '../machines/case-packer/machine.ts';
import { cnc } from '../machines/cnc/machine.ts';
import { compressor } from '../machines/compressor/machine.ts';
import { filling } from '../machines/filling/machine.ts';
import { labelling } from '../machines/labelling/machine.ts';
import { moulding } from '../machines/moulding/machine.ts';
import { powerMeter } from '../machines/power-meter/machine.ts';
import { weldingRobot } from '../machines/welding-robot/machine.ts';
import { type MachineSpec, machineOf, type PlantDefinition } from './definition.ts';
import { reasonCodes } from './reason-codes.ts';

/**
 * The demo plant: a supplier in the Hòa Lạc high-tech park. Some part of it works at any hour of the week, so that a visitor
 * always finds a living board: moulding and the bar-fed lathe never stop, milling rests at night and on Sundays.
 */

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const noSunday = [1, 2, 3, 4, 5, 6];

/** In all shifts at the same time; who never stops works through them. */
const breaks = {
  morning: { from: '11:30', to: '12:00' },
  afternoon: { from: '18:30', to: '19:00' },
  night: { from: '02:00', to: '02:30' },
};

const continuous = { works: { morning: everyDay, afternoon: everyDay, night: everyDay }, breaks: [], worksOnHolidays: true };
const twoShifts = { works: { morning: noSunday, afternoon: noSunday }, breaks: [breaks.morning, breaks.afternoon] };
const daytime = { works: { morning: everyDay, afternoon: everyDay }, breaks: [] };
const packing = {
  works: { morning: everyDay, afternoon: everyDay, night: noSunday },
  breaks: [breaks.morning, breaks.afternoon, breaks.night],
};

const inCnc = { edge: 'edge-cnc', role: 'machine' } as const;
const inPack = { edge: 'edge-pack', role: 'machine' } as const;

const machining: readonly MachineSpec[] = [
  machineOf(
    cnc,
    {
      products: [
        { name: 'Giá đỡ A12', idealCycleMs: 48_000, lotPieces: 420 },
        { name: 'Nắp hộp số B7', idealCycleMs: 52_000, lotPieces: 300 },
      ],
      spindleSpeed: 8_500,
      runKw: 14,
      toolLife: 260,
    },
    {
      ...inCnc,
      ...twoShifts,
      id: 'CNC-01',
      line: 'L1',
      name: { vi: 'CNC-01', en: 'CNC-01' },
      kindName: { vi: 'Phay 5 trục', en: '5-axis mill' },
      idealCycleMs: 48_000,
      airRate: 0.4,
    },
  ),
  machineOf(
    cnc,
    {
      products: [
        { name: 'Tấm ốp A12', idealCycleMs: 48_000, lotPieces: 420 },
        { name: 'Tấm ốp B7', idealCycleMs: 52_000, lotPieces: 300 },
      ],
      spindleSpeed: 9_200,
      runKw: 13,
      toolLife: 230,
    },
    {
      ...inCnc,
      ...twoShifts,
      id: 'CNC-02',
      line: 'L1',
      name: { vi: 'CNC-02', en: 'CNC-02' },
      kindName: { vi: 'Phay 5 trục', en: '5-axis mill' },
      idealCycleMs: 48_000,
      airRate: 0.4,
    },
  ),
  machineOf(
    cnc,
    {
      products: [
        { name: 'Trục D20', idealCycleMs: 40_000, lotPieces: 900 },
        { name: 'Bạc lót D32', idealCycleMs: 36_000, lotPieces: 700 },
      ],
      spindleSpeed: 3_200,
      runKw: 9,
      toolLife: 420,
    },
    {
      ...inCnc,
      ...continuous,
      id: 'CNC-03',
      line: 'L1',
      name: { vi: 'CNC-03', en: 'CNC-03' },
      kindName: { vi: 'Tiện', en: 'Lathe' },
      idealCycleMs: 40_000,
      airRate: 0.3,
    },
  ),
  machineOf(
    weldingRobot,
    {
      products: [
        { name: 'Cụm giá A12', idealCycleMs: 46_000, lotPieces: 400 },
        { name: 'Cụm giá B7', idealCycleMs: 50_000, lotPieces: 280 },
      ],
    },
    {
      ...inCnc,
      ...twoShifts,
      id: 'RB-01',
      line: 'L1',
      name: { vi: 'RB-01', en: 'RB-01' },
      kindName: { vi: 'Robot hàn', en: 'Welding robot' },
      idealCycleMs: 46_000,
      airRate: 0.3,
    },
  ),
];

const injection: readonly MachineSpec[] = [
  machineOf(
    moulding,
    {
      products: [
        { name: 'Chai HDPE 5 L', idealCycleMs: 22_000, lotPieces: 2_600 },
        { name: 'Can HDPE 4 L', idealCycleMs: 20_000, lotPieces: 2_200 },
      ],
      clampKn: 2_500,
      runKw: 32,
      meltTemp: 215,
    },
    {
      ...inCnc,
      ...continuous,
      id: 'EP-01',
      line: 'L2',
      name: { vi: 'ÉP-01', en: 'EP-01' },
      kindName: { vi: 'Ép phun 250T', en: 'Moulding 250 t' },
      idealCycleMs: 22_000,
      airRate: 0.5,
    },
  ),
  machineOf(
    moulding,
    {
      products: [
        { name: 'Nắp vòi PP', idealCycleMs: 22_000, lotPieces: 1_800 },
        { name: 'Tay xách PP', idealCycleMs: 24_000, lotPieces: 1_500 },
      ],
      clampKn: 2_500,
      runKw: 30,
      meltTemp: 228,
    },
    {
      ...inCnc,
      ...continuous,
      id: 'EP-02',
      line: 'L2',
      name: { vi: 'ÉP-02', en: 'EP-02' },
      kindName: { vi: 'Ép phun 250T', en: 'Moulding 250 t' },
      idealCycleMs: 22_000,
      airRate: 0.5,
    },
  ),
  machineOf(
    moulding,
    {
      products: [
        { name: 'Nút đậy PE', idealCycleMs: 18_000, lotPieces: 2_400 },
        { name: 'Vòng đệm PA66', idealCycleMs: 16_000, lotPieces: 2_000 },
      ],
      clampKn: 1_200,
      runKw: 18,
      meltTemp: 205,
    },
    {
      ...inCnc,
      ...daytime,
      id: 'EP-03',
      line: 'L2',
      name: { vi: 'ÉP-03', en: 'EP-03' },
      kindName: { vi: 'Ép phun 120T', en: 'Moulding 120 t' },
      idealCycleMs: 18_000,
      airRate: 0.4,
    },
  ),
  machineOf(
    moulding,
    {
      products: [
        { name: 'Tay cầm TPE', idealCycleMs: 20_000, lotPieces: 2_200 },
        { name: 'Núm vặn ABS', idealCycleMs: 17_000, lotPieces: 2_600 },
      ],
      clampKn: 1_200,
      runKw: 17,
      meltTemp: 225,
    },
    {
      ...inCnc,
      ...continuous,
      id: 'EP-04',
      line: 'L2',
      name: { vi: 'ÉP-04', en: 'EP-04' },
      kindName: { vi: 'Ép phun 120T', en: 'Moulding 120 t' },
      idealCycleMs: 20_000,
      airRate: 0.4,
    },
  ),
  machineOf(
    compressor,
    { deliveryRate: 7.5, receiver: 3, loadBar: 6.3, unloadBar: 7.3, fullKw: 45 },
    {
      ...inPack,
      ...continuous,
      id: 'MNK-01',
      line: 'L2',
      name: { vi: 'MNK-01', en: 'MNK-01' },
      kindName: { vi: 'Máy nén khí', en: 'Air compressor' },
      unit: 4,
      airRate: 0,
    },
  ),
];

const bottled = (cycleMs: number, lotPieces: number) => [
  { name: 'Nước rửa chén 5 L', idealCycleMs: cycleMs, lotPieces },
  { name: 'Nước lau sàn 5 L', idealCycleMs: cycleMs, lotPieces },
  { name: 'Nước giặt 5 L', idealCycleMs: cycleMs, lotPieces },
];

const packaging: readonly MachineSpec[] = [
  machineOf(
    filling,
    { products: bottled(6_000, 2_400), fillMl: 5_000 },
    {
      ...inPack,
      ...packing,
      id: 'CHI-01',
      line: 'L3',
      name: { vi: 'CHI-01', en: 'CHI-01' },
      kindName: { vi: 'Chiết rót', en: 'Filling' },
      unit: 1,
      idealCycleMs: 6_000,
      airRate: 0.9,
    },
  ),
  machineOf(
    labelling,
    { products: bottled(6_000, 2_400) },
    {
      ...inPack,
      ...packing,
      id: 'DAN-01',
      line: 'L3',
      name: { vi: 'DÁN-01', en: 'DAN-01' },
      kindName: { vi: 'Dán nhãn', en: 'Labelling' },
      unit: 2,
      idealCycleMs: 6_000,
      airRate: 0.5,
    },
  ),
  machineOf(
    casePacker,
    { products: bottled(23_000, 600), bottlesPerCase: 4 },
    {
      ...inPack,
      ...packing,
      id: 'DG-01',
      line: 'L3',
      name: { vi: 'ĐG-01', en: 'DG-01' },
      kindName: { vi: 'Đóng thùng', en: 'Case packer' },
      unit: 3,
      idealCycleMs: 23_000,
      airRate: 1.1,
    },
  ),
];

const meter = (id: string, unit: number, measures: string, kindName: MachineSpec['kindName'], startKwh: number): MachineSpec =>
  machineOf(
    powerMeter,
    { startKwh },
    { ...continuous, id, line: 'E', edge: 'edge-pack', role: 'meter', name: { vi: id, en: id }, kindName, unit, airRate: 0, measures },
  );

const meters: readonly MachineSpec[] = [
  meter('CT-01', 10, 'all', { vi: 'Công tơ tổng', en: 'Main meter' }, 412_300),
  meter('CT-L1', 11, 'L1', { vi: 'Công tơ dây chuyền 1', en: 'Meter of line 1' }, 86_100),
  meter('CT-L2', 12, 'L2', { vi: 'Công tơ dây chuyền 2', en: 'Meter of line 2' }, 215_700),
  meter('CT-L3', 13, 'L3', { vi: 'Công tơ dây chuyền 3', en: 'Meter of line 3' }, 31_900),
];

export const hoaLac: PlantDefinition = {
  id: 'hoa-lac',
  group: 'hoalac',
  enterprise: { vi: 'Công ty Cơ khí – Nhựa Nhịp', en: 'Nhip Metal and Plastics' },
  site: { vi: 'Nhà máy Hòa Lạc', en: 'Hoa Lac plant' },
  timeZone: 'Asia/Ho_Chi_Minh',
  utcOffsetMs: 7 * 3_600_000,
  shifts: [
    { id: 'morning', name: { vi: 'Ca sáng', en: 'Morning shift' }, from: '06:00', to: '14:00', breaks: [breaks.morning] },
    { id: 'afternoon', name: { vi: 'Ca chiều', en: 'Afternoon shift' }, from: '14:00', to: '22:00', breaks: [breaks.afternoon] },
    { id: 'night', name: { vi: 'Ca đêm', en: 'Night shift' }, from: '22:00', to: '06:00', breaks: [breaks.night] },
  ],
  dayStart: '06:00',
  holidays: [
    { date: '2027-01-01', name: { vi: 'Tết Dương lịch', en: 'New Year' } },
    { date: '2027-02-05', lastDate: '2027-02-09', name: { vi: 'Tết Nguyên đán', en: 'Lunar New Year' } },
  ],
  reasonCodes,
  lines: [
    { id: 'L1', name: { vi: 'Dây chuyền 1 · Gia công', en: 'Line 1 · Machining' }, outputs: ['RB-01', 'CNC-03'] },
    { id: 'L2', name: { vi: 'Dây chuyền 2 · Ép nhựa', en: 'Line 2 · Injection moulding' }, outputs: ['EP-01', 'EP-02', 'EP-03', 'EP-04'] },
    { id: 'L3', name: { vi: 'Dây chuyền 3 · Đóng gói', en: 'Line 3 · Packaging' }, outputs: ['DG-01'] },
    { id: 'E', name: { vi: 'Năng lượng', en: 'Energy' } },
  ],
  machines: [...machining, ...injection, ...packaging, ...meters],
  conveyors: [
    { from: 'CNC-01', to: 'RB-01', capacity: 8 },
    { from: 'CNC-02', to: 'RB-01', capacity: 8 },
    { from: 'CHI-01', to: 'DAN-01', capacity: 24 },
    { from: 'DAN-01', to: 'DG-01', capacity: 24 },
  ],
  baseLoadKw: 18,
  outages: { meanBetweenMs: 3 * 86_400_000, meanLengthMs: 22 * 60_000 },
};
