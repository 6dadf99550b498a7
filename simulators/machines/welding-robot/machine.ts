import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { weldingRobotPoints } from './points.ts';

/** A MIG/MAG welding robot that joins one part from each inlet. */
export interface WeldingRobotConfig {
  readonly products: readonly Product[];
}

const minuteMs = 60_000;

const stops: readonly Stop[] = [
  { state: 'setup', reason: 'nozzleCleaning', everyMs: 40 * minuteMs, lastsMs: 1 * minuteMs },
  { state: 'fault', reason: '', everyMs: 90 * minuteMs, lastsMs: 2 * minuteMs },
  { state: 'fault', reason: 'arcFault', everyMs: 110 * minuteMs, lastsMs: 2.5 * minuteMs, alarm: 'ArcFault' },
  { state: 'fault', reason: 'wireStuck', everyMs: 240 * minuteMs, lastsMs: 6 * minuteMs, alarm: 'WireStuck' },
  { state: 'fault', reason: 'fenceOpen', everyMs: 130 * minuteMs, lastsMs: 1.5 * minuteMs, alarm: 'FenceOpen' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 3_500 * minuteMs, lastsMs: 35 * minuteMs },
];

function createWeldingRobot(id: string, config: WeldingRobotConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: {
      products: config.products,
      slowness: 1.02,
      cycleSpread: 0.02,
      rejectShare: 0.012,
      stops,
      changeoverMs: 10 * minuteMs,
      warmUpMs: 4 * minuteMs,
      piecesPerCycle: 1,
      minimumAirBar: 4.5,
    },
    process: { current: 0, voltage: 0, gas: 0, wire: 70, torch: 35 },
    power: { idleKw: 1.1, runKw: 9.5 },
    alarms: ['ArcFault', 'WireStuck', 'FenceOpen', 'WireLow'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const isWelding = load > 0;
      p.current = lag(p.current, isWelding ? 215 + 8 * noise.normal() : 0, 400, dtMs);
      p.voltage = lag(p.voltage, isWelding ? 24.5 + 0.4 * noise.normal() : 0, 400, dtMs);
      p.gas = lag(p.gas, isWelding ? 14 : 0, 1_500, dtMs);
      p.torch = lag(p.torch, 32 + 150 * load, 180_000, dtMs);
      p.wire -= cycles * 0.05;
      if (p.wire < 4) p.wire = 100;

      values['Weld/Current'] = round(Math.max(0, p.current), 1);
      values['Weld/Voltage'] = round(Math.max(0, p.voltage), 2);
      values['Gas/Flow'] = round(p.gas, 1);
      values['Wire/Level'] = round(p.wire, 1);
      values['Temp/Torch'] = round(p.torch, 1);
      values['Speed/Actual'] = round(isWelding ? 3_600_000 / (station.product().idealCycleMs * 1.02) : 0, 0);
      values['Alarm/WireLow'] = p.wire < 10;
    },
  });
}

export const weldingRobot: MachineKind<WeldingRobotConfig> = {
  id: 'welding-robot',
  name: { vi: 'Robot hàn', en: 'Welding robot' },
  protocol: 'opcua',
  companion: 'packml',
  points: weldingRobotPoints,
  create: createWeldingRobot,
};
