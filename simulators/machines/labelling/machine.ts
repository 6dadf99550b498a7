import { createProducer, lag, round } from '../../engine/producer.ts';
import type { Product, Stop } from '../../engine/station.ts';
import type { Machine, MachineKind } from '../../machine.ts';
import { labellingPoints } from './points.ts';

/** A labelling machine with hot glue. */
export interface LabellingConfig {
  readonly products: readonly Product[];
}

const minuteMs = 60_000;
const reelLabels = 2_500;

const stops: readonly Stop[] = [
  { state: 'fault', reason: '', everyMs: 50 * minuteMs, lastsMs: 0.7 * minuteMs },
  { state: 'fault', reason: 'labelTorn', everyMs: 55 * minuteMs, lastsMs: 1.6 * minuteMs, alarm: 'LabelTorn' },
  { state: 'fault', reason: 'sensorDirty', everyMs: 130 * minuteMs, lastsMs: 1.5 * minuteMs },
  { state: 'fault', reason: 'glueCold', everyMs: 500 * minuteMs, lastsMs: 7 * minuteMs, alarm: 'GlueCold' },
  { state: 'maintenance', reason: 'preventiveMaintenance', everyMs: 4_500 * minuteMs, lastsMs: 30 * minuteMs },
];

function createLabelling(id: string, config: LabellingConfig, seed: number): Machine {
  return createProducer({
    id,
    seed,
    station: {
      products: config.products,
      slowness: 1.01,
      cycleSpread: 0.02,
      rejectShare: 0.01,
      stops,
      changeoverMs: 9 * minuteMs,
      warmUpMs: 5 * minuteMs,
      piecesPerCycle: 1,
      minimumAirBar: 5,
    },
    process: { labels: 1_800, glue: 150, speed: 0 },
    power: { idleKw: 0.9, runKw: 3.4 },
    alarms: ['LabelTorn', 'GlueCold', 'LabelLow'],
    update(p, { dtMs, cycles, load, noise, station, values }) {
      const { state, reason } = station.state;
      const isHeated = state !== 'stopped' && state !== 'notScheduled' && reason !== 'glueCold';
      p.labels -= cycles;
      if (p.labels <= 0) {
        station.request({ state: 'idle', reason: 'labelOut', lastsMs: 2 * minuteMs });
        p.labels = reelLabels;
      }
      p.glue = lag(p.glue, isHeated ? 150 + 0.8 * noise.normal() : 40, isHeated ? 200_000 : 1_800_000, dtMs);
      p.speed = lag(p.speed, load > 0 ? 3_600_000 / (station.product().idealCycleMs * 1.01) : 0, 1_200, dtMs);

      values['Label/Remaining'] = Math.max(0, p.labels);
      values['Temp/Glue'] = round(p.glue, 1);
      values['Speed/Actual'] = round(p.speed, 0);
      values['Alarm/LabelLow'] = p.labels < 200;
    },
  });
}

export const labelling: MachineKind<LabellingConfig> = {
  id: 'labelling',
  name: { vi: 'Máy dán nhãn', en: 'Labelling machine' },
  protocol: 'modbus',
  points: labellingPoints,
  create: createLabelling,
};
