import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { fillingPoints } from './points.ts';

/** A filling and capping machine for five-litre bottles. */
export interface FillingConfig {
  readonly products: readonly Product[];
  /** Nominal fill, ml. */
  readonly fillMl: number;
}

const minuteMs = 60_000;

const stops: readonly Stop[] = [
  { state: 'fault', reason: '', everyMs: 30 * minuteMs, lastsMs: 0.9 * minuteMs },
  { state: 'fault', reason: 'bottleFallen', everyMs: 40 * minuteMs, lastsMs: 0.8 * minuteMs },
  { state: 'fault', reason: 'capJam', everyMs: 75 * minuteMs, lastsMs: 2.2 * minuteMs, alarm: 'CapJam' },
  { state: 'fault', reason: 'nozzleBlocked', everyMs: 240 * minuteMs, lastsMs: 6 * minuteMs, alarm: 'NozzleBlocked' },
  { state: 'idle', reason: 'tankLow', everyMs: 180 * minuteMs, lastsMs: 3 * minuteMs, alarm: 'TankLow' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 3_600 * minuteMs, lastsMs: 35 * minuteMs },
];

function createFilling(id: string, config: FillingConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: {
      products: config.products,
      slowness: 1.04,
      cycleSpread: 0.02,
      rejectShare: 0.006,
      stops,
      changeoverMs: 14 * minuteMs,
      warmUpMs: 5 * minuteMs,
      piecesPerCycle: 1,
      minimumAirBar: 5,
    },
    process: { tank: 75, product: 26, flow: 0, line: 2.1, weight: config.fillMl },
    power: { idleKw: 1.4, runKw: 6.8 },
    alarms: ['CapJam', 'NozzleBlocked', 'TankLow', 'ProductHot'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const isFilling = load > 0;
      const litresPerMin = ((config.fillMl / 1000) * 60_000) / station.product().idealCycleMs;
      p.tank -= cycles * 0.04;
      if (p.tank < 18) p.tank = 95;
      p.product = lag(p.product, 25 + 3 * load, 1_200_000, dtMs);
      p.flow = lag(p.flow, isFilling ? litresPerMin * (1 + 0.02 * noise.normal()) : 0, 1_000, dtMs);
      p.line = lag(p.line, isFilling ? 2.4 + 0.05 * noise.normal() : 2.1, 2_000, dtMs);
      if (cycles > 0) p.weight = config.fillMl + 4 * noise.normal();

      values['Level/Tank'] = round(p.tank, 1);
      values['Temp/Product'] = round(p.product, 1);
      values['Flow/Fill'] = round(p.flow, 1);
      values['Pressure/Line'] = round(p.line, 2);
      values['Fill/Actual'] = round(p.weight, 1);
      values['Fill/Setpoint'] = config.fillMl;
      values['Speed/Actual'] = round(isFilling ? 3_600_000 / (station.product().idealCycleMs * 1.04) : 0, 0);
      values['Alarm/ProductHot'] = p.product > 40;
    },
  });
}

export const filling: MachineKind<FillingConfig> = {
  id: 'filling',
  name: { vi: 'Máy chiết rót', en: 'Filling machine' },
  protocol: 'modbus',
  points: fillingPoints,
  create: createFilling,
};
