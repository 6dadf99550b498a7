import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, StationConfig, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { cncPoints } from './points.ts';

/** A CNC mill or lathe. */
export interface CncConfig {
  readonly products: readonly Product[];
  readonly spindleSpeed: number;
  readonly runKw: number;
  /** Pieces until a tool is worn out. */
  readonly toolLife: number;
}

const minuteMs = 60_000;

const stops: readonly Stop[] = [
  { state: 'idle', reason: 'waitingForOperator', everyMs: 45 * minuteMs, lastsMs: 1.2 * minuteMs },
  { state: 'idle', reason: 'qualityCheck', everyMs: 70 * minuteMs, lastsMs: 2 * minuteMs },
  { state: 'fault', reason: '', everyMs: 60 * minuteMs, lastsMs: 2.5 * minuteMs },
  { state: 'fault', reason: 'toolBroken', everyMs: 300 * minuteMs, lastsMs: 9 * minuteMs, alarm: 'ToolBroken' },
  { state: 'fault', reason: 'chipJam', everyMs: 150 * minuteMs, lastsMs: 4 * minuteMs, alarm: 'ChipJam' },
  { state: 'fault', reason: 'clampFault', everyMs: 220 * minuteMs, lastsMs: 3 * minuteMs },
  { state: 'fault', reason: 'spindleOverload', everyMs: 400 * minuteMs, lastsMs: 7 * minuteMs, alarm: 'SpindleOverload' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 3_000 * minuteMs, lastsMs: 40 * minuteMs },
];

function station(config: CncConfig): StationConfig {
  return {
    products: config.products,
    slowness: 1.05,
    cycleSpread: 0.03,
    rejectShare: 0.008,
    stops,
    changeoverMs: 18 * minuteMs,
    warmUpMs: 6 * minuteMs,
    piecesPerCycle: 1,
    minimumAirBar: 4.5,
  };
}

function createCnc(id: string, config: CncConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: station(config),
    process: { tool: 1, wear: 0.3, spindleTemp: 32, load: 0, speed: 0, vibration: 0.4, coolant: 85, changes: 0 },
    power: { idleKw: 2.2, runKw: config.runKw },
    alarms: ['ToolBroken', 'ChipJam', 'SpindleOverload', 'CoolantLow'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const isCutting = load > 0;
      p.wear += cycles / config.toolLife;
      if (p.wear >= 1) {
        station.request({ state: 'setup', reason: 'toolChange', lastsMs: 3 * minuteMs });
        p.wear = 0;
        p.tool = (p.tool % 12) + 1;
      }
      station.setWear(1 + 3 * p.wear ** 3);
      p.coolant -= (load * dtMs) / (9 * 36_000);
      if (p.coolant < 12) p.coolant = 96;
      p.spindleTemp = lag(p.spindleTemp, 28 + 30 * load + 6 * p.wear, 600_000, dtMs);
      p.load = lag(p.load, isCutting ? 48 + 30 * p.wear + 9 * noise.normal() : 0, 800, dtMs);
      p.speed = lag(p.speed, isCutting ? config.spindleSpeed : 0, 700, dtMs);
      p.vibration = lag(p.vibration, isCutting ? 1.1 + 1.9 * p.wear + 0.15 * noise.normal() : 0.1, 1_500, dtMs);

      values['Spindle/Load'] = round(Math.max(0, Math.min(140, p.load)), 1);
      values['Spindle/Speed'] = round(p.speed, 0);
      values['Feed/Override'] = isCutting ? 100 : 0;
      values['Temp/Spindle'] = round(p.spindleTemp, 1);
      values['Vibration/Spindle'] = round(Math.max(0, p.vibration), 2);
      values['Coolant/Level'] = round(p.coolant, 1);
      values['Tool/Wear'] = round(100 * Math.min(1, p.wear), 1);
      values['Tool/Number'] = p.tool;
      values['Alarm/CoolantLow'] = p.coolant < 20;
    },
  });
}

export const cnc: MachineKind<CncConfig> = {
  id: 'cnc',
  name: { vi: 'Máy CNC', en: 'CNC machine' },
  protocol: 'opcua',
  companion: 'machineTool',
  points: cncPoints,
  create: createCnc,
};
