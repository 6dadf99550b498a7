import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { mouldingPoints } from './points.ts';

/** An injection moulding machine. */
export interface MouldingConfig {
  readonly products: readonly Product[];
  /** Clamping force, kN. */
  readonly clampKn: number;
  readonly runKw: number;
  /** Barrel set point, °C. */
  readonly meltTemp: number;
}

const minuteMs = 60_000;

const stops: readonly Stop[] = [
  { state: 'idle', reason: 'qualityCheck', everyMs: 90 * minuteMs, lastsMs: 1.5 * minuteMs },
  { state: 'fault', reason: '', everyMs: 80 * minuteMs, lastsMs: 2 * minuteMs },
  { state: 'fault', reason: 'partStuck', everyMs: 65 * minuteMs, lastsMs: 2.5 * minuteMs, alarm: 'PartStuck' },
  { state: 'fault', reason: 'mouldProtect', everyMs: 170 * minuteMs, lastsMs: 5 * minuteMs, alarm: 'MouldProtect' },
  { state: 'fault', reason: 'heaterFault', everyMs: 700 * minuteMs, lastsMs: 16 * minuteMs, alarm: 'HeaterFault' },
  { state: 'fault', reason: 'oilHot', everyMs: 900 * minuteMs, lastsMs: 12 * minuteMs, alarm: 'OilHot' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 4_000 * minuteMs, lastsMs: 50 * minuteMs },
];

function createMoulding(id: string, config: MouldingConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: {
      products: config.products,
      slowness: 1.03,
      cycleSpread: 0.012,
      rejectShare: 0.015,
      stops,
      changeoverMs: 28 * minuteMs,
      warmUpMs: 15 * minuteMs,
      piecesPerCycle: 1,
      minimumAirBar: 4,
    },
    process: { barrel: config.meltTemp, mould: 48, oil: 42, hopper: 80, injection: 900, cushion: 6, shots: 120_000 },
    power: { idleKw: 6, runKw: config.runKw },
    alarms: ['PartStuck', 'MouldProtect', 'HeaterFault', 'OilHot', 'MaterialLow'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const { state, reason } = station.state;
      const isHeated = state !== 'stopped' && state !== 'notScheduled' && reason !== 'heaterFault';
      const isWorking = load > 0;
      p.barrel = lag(p.barrel, isHeated ? config.meltTemp + 1.2 * noise.normal() : 60, isHeated ? 240_000 : 2_400_000, dtMs);
      p.mould = lag(p.mould, isWorking ? 52 : 30, 400_000, dtMs);
      p.oil = lag(p.oil, (reason === 'oilHot' ? 64 : 32) + 14 * load, 900_000, dtMs);
      p.hopper -= cycles * 0.06;
      if (p.hopper < 8) p.hopper = 98;
      p.shots += cycles;
      if (cycles > 0) {
        p.injection = 920 + 18 * noise.normal();
        p.cushion = 6 + 0.25 * noise.normal();
      }

      values['Temp/Barrel1'] = round(p.barrel - 12, 1);
      values['Temp/Barrel2'] = round(p.barrel - 4, 1);
      values['Temp/Barrel3'] = round(p.barrel, 1);
      values['Temp/Mould'] = round(p.mould, 1);
      values['Temp/Oil'] = round(p.oil, 1);
      values['Pressure/Injection'] = round(isWorking ? p.injection : 0, 0);
      values['Force/Clamp'] = isWorking ? config.clampKn : 0;
      values.Cushion = round(p.cushion, 2);
      values['Hopper/Level'] = round(p.hopper, 1);
      values['Mould/Shots'] = p.shots;
      values['Speed/Actual'] = round(isWorking ? 3_600_000 / (station.product().idealCycleMs * 1.03) : 0, 0);
      values['Alarm/MaterialLow'] = p.hopper < 15;
    },
  });
}

export const moulding: MachineKind<MouldingConfig> = {
  id: 'moulding',
  name: { vi: 'Máy ép phun', en: 'Injection moulding machine' },
  protocol: 'opcua',
  companion: 'packml',
  points: mouldingPoints,
  create: createMoulding,
};
