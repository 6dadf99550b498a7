import type { Value } from '@nhip/core/wire/sample';
import { metricNames } from '@nhip/core/wire/vocabulary';
import { createPrng } from '../../engine/prng.ts';
import { lag, round } from '../../engine/producer.ts';
import type { Json, Machine, MachineKind, StepContext } from '../../machine.ts';
import { powerMeterPoints } from './points.ts';

/** A three-phase meter: measures what the plant says runs behind it. */
export interface PowerMeterConfig {
  /** Meter reading at the start, kWh. */
  readonly startKwh: number;
}

const phases = [1, 2, 3] as const;
const nominalVolt = 231;

function createPowerMeter(id: string, config: PowerMeterConfig, seed: number): Machine {
  const noise = createPrng(seed, id);
  const s = { kw: 0, energyKwh: config.startKwh, volt: nominalVolt, hertz: 50 };
  const values: Record<string, Value> = {};

  const show = (isGridOn: boolean): void => {
    const powerFactor = s.kw > 0.5 ? Math.min(0.98, 0.82 + 0.03 * Math.log(1 + s.kw)) : 0.8;
    for (const phase of phases) {
      const volt = isGridOn ? s.volt + (phase - 2) * 0.8 + 0.15 * noise.normal() : 0;
      const kw = (s.kw / 3) * (1 + (phase - 2) * 0.04);
      values[`Voltage/L${phase}`] = round(volt, 1);
      values[`Power/L${phase}`] = round(kw, 2);
      values[`Current/L${phase}`] = isGridOn ? round((kw * 1000) / (volt * powerFactor), 1) : 0;
    }
    values[metricNames.powerActive] = round(s.kw, 2);
    values.PowerFactor = round(isGridOn ? powerFactor : 0, 3);
    values.Frequency = round(isGridOn ? s.hertz : 0, 2);
    values[metricNames.energyImport] = round(s.energyKwh, 1);
    values['Energy/Export'] = 0;
    values['Energy/Total'] = round(s.energyKwh, 1);
  };

  show(true);
  return {
    id,
    values: () => values,
    step(dtMs: number, context: StepContext) {
      s.kw = lag(s.kw, context.loadKw, 500, dtMs);
      s.energyKwh += (context.loadKw * dtMs) / 3_600_000;
      s.volt = lag(s.volt, nominalVolt - context.loadKw * 0.012 + 1.5 * noise.normal(), 60_000, dtMs);
      s.hertz = lag(s.hertz, 50 + 0.04 * noise.normal(), 10_000, dtMs);
      show(context.isGridOn);
    },
    snapshot: () => ({ ...s, noise: noise.state(), values: { ...values } }) as Json,
    restore(snapshot) {
      const saved = snapshot as Record<string, Json> | null;
      if (saved === null || typeof saved !== 'object' || Object.keys(s).some((key) => typeof saved[key] !== 'number')) {
        throw new TypeError(`${id}: not a snapshot of a meter`);
      }
      const { noise: savedNoise, values: savedValues, ...fields } = saved;
      noise.restore(savedNoise);
      Object.assign(s, fields);
      Object.assign(values, savedValues);
    },
  };
}

export const powerMeter: MachineKind<PowerMeterConfig> = {
  id: 'power-meter',
  name: { vi: 'Công tơ ba pha', en: 'Three-phase meter' },
  protocol: 'modbus',
  points: powerMeterPoints,
  create: createPowerMeter,
};
