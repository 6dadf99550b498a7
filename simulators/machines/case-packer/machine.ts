import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { casePackerPoints } from './points.ts';

/** A case packer: counts cases. */
export interface CasePackerConfig {
  readonly products: readonly Product[];
  readonly bottlesPerCase: number;
}

const minuteMs = 60_000;

const stops: readonly Stop[] = [
  { state: 'fault', reason: '', everyMs: 60 * minuteMs, lastsMs: 1.2 * minuteMs },
  { state: 'fault', reason: 'boxJam', everyMs: 45 * minuteMs, lastsMs: 2.4 * minuteMs, alarm: 'BoxJam' },
  { state: 'idle', reason: 'cartonOut', everyMs: 95 * minuteMs, lastsMs: 2 * minuteMs, alarm: 'CartonOut' },
  { state: 'fault', reason: 'glueCold', everyMs: 600 * minuteMs, lastsMs: 6 * minuteMs, alarm: 'GlueCold' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 4_000 * minuteMs, lastsMs: 30 * minuteMs },
];

function createCasePacker(id: string, config: CasePackerConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: {
      products: config.products,
      slowness: 1.0,
      cycleSpread: 0.03,
      rejectShare: 0.004,
      stops,
      changeoverMs: 8 * minuteMs,
      warmUpMs: 4 * minuteMs,
      piecesPerCycle: config.bottlesPerCase,
      minimumAirBar: 5,
    },
    process: { glue: 165, vacuum: 0, cartons: 300 },
    power: { idleKw: 1.2, runKw: 5.2 },
    alarms: ['BoxJam', 'CartonOut', 'GlueCold', 'VacuumLow'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const { state, reason } = station.state;
      const isHeated = state !== 'stopped' && state !== 'notScheduled' && reason !== 'glueCold';
      p.glue = lag(p.glue, isHeated ? 165 + 0.8 * noise.normal() : 40, isHeated ? 200_000 : 1_800_000, dtMs);
      p.vacuum = lag(p.vacuum, load > 0 ? -0.72 + 0.02 * noise.normal() : 0, 900, dtMs);
      p.cartons -= cycles;
      if (p.cartons <= 0 || reason === 'cartonOut') p.cartons = 400;

      values['Temp/HotMelt'] = round(p.glue, 1);
      values['Pressure/Vacuum'] = round(p.vacuum, 3);
      values['Carton/Remaining'] = p.cartons;
      values['Speed/Actual'] = round(load > 0 ? 3_600_000 / station.product().idealCycleMs : 0, 0);
      values['Alarm/VacuumLow'] = state === 'running' && load > 0.9 && p.vacuum > -0.3;
    },
  });
}

export const casePacker: MachineKind<CasePackerConfig> = {
  id: 'case-packer',
  name: { vi: 'Máy đóng thùng', en: 'Case packer' },
  protocol: 'modbus',
  points: casePackerPoints,
  create: createCasePacker,
};
