import type { Value } from '@nhip/core/wire/sample';
import { metricNames } from '@nhip/core/wire/vocabulary';
import { createPrng } from '../../engine/prng.ts';
import { lag, round } from '../../engine/producer.ts';
import type { Json, Machine, MachineKind, StepContext } from '../../machine.ts';
import { compressorPoints } from './points.ts';

/** A screw compressor with an air receiver, controlled between two pressures. It makes no pieces: no counters. */
export interface CompressorConfig {
  /** m³/min at full load. */
  readonly deliveryRate: number;
  /** Receiver, m³. */
  readonly receiver: number;
  readonly loadBar: number;
  readonly unloadBar: number;
  readonly fullKw: number;
}

const minuteMs = 60_000;
/** The pressure controller works in steps of at most this. */
const controlStepMs = 1_000;
const meanFaultMs = 14 * 60 * minuteMs;

export function createCompressor(id: string, config: CompressorConfig, seed: number): Machine {
  const events = createPrng(seed, id);
  const noise = createPrng(seed, `${id}/noise`);
  const s = {
    state: 'running',
    reason: '',
    isLoaded: true,
    bar: config.unloadBar - 0.3,
    oilTemp: 70,
    powerKw: config.fullKw,
    energyKwh: 84_000,
    loadHours: 9_120,
    runHours: 12_480,
    untilFaultMs: events.exponential(meanFaultMs),
    stopLeftMs: 0,
  };
  const values: Record<string, Value> = {};

  /** Counts down to the next fault and its end; running time only. */
  const advanceState = (dtMs: number, isGridOn: boolean): void => {
    if (!isGridOn) {
      Object.assign(s, { state: 'stopped', reason: 'gridOutage', stopLeftMs: 0 });
      return;
    }
    if (s.state === 'stopped') Object.assign(s, { state: 'setup', reason: 'restart', stopLeftMs: events.duration(1.5 * minuteMs) });
    if (s.stopLeftMs > 0) {
      s.stopLeftMs -= dtMs;
      if (s.stopLeftMs <= 0) Object.assign(s, { state: 'running', reason: '', stopLeftMs: 0 });
      return;
    }
    s.untilFaultMs -= dtMs;
    if (s.untilFaultMs <= 0) {
      Object.assign(s, { state: 'fault', reason: 'compressorHot', stopLeftMs: events.duration(5 * minuteMs) });
      s.untilFaultMs = events.exponential(meanFaultMs);
    }
  };

  /** One step of the pressure controller. Free air at 1 bar: dp = (delivered − drawn) ÷ receiver. */
  const advanceAir = (dtMs: number, airDemand: number): void => {
    const isRunning = s.state === 'running';
    if (s.bar <= config.loadBar) s.isLoaded = true;
    if (s.bar >= config.unloadBar) s.isLoaded = false;
    const delivered = isRunning && s.isLoaded ? config.deliveryRate : 0;
    s.bar = Math.max(0, s.bar + ((delivered - airDemand) * dtMs) / minuteMs / config.receiver);
    const kw = isRunning ? config.fullKw * (s.isLoaded ? 1 : 0.3) : 0.2;
    s.powerKw = lag(s.powerKw, kw, 1_000, dtMs);
    s.energyKwh += (kw * dtMs) / 3_600_000;
    s.oilTemp = lag(s.oilTemp, s.reason === 'compressorHot' ? 104 : isRunning ? (s.isLoaded ? 84 : 74) : 30, 300_000, dtMs);
    if (isRunning) s.runHours += dtMs / 3_600_000;
    if (isRunning && s.isLoaded) s.loadHours += dtMs / 3_600_000;
  };

  const show = (): void => {
    values[metricNames.state] = s.state;
    values[metricNames.stateReason] = s.reason;
    values[metricNames.powerActive] = round(Math.max(0, s.powerKw), 2);
    values[metricNames.energyImport] = round(s.energyKwh, 1);
    values['Pressure/Net'] = round(s.bar + 0.005 * noise.normal(), 2);
    values['Temp/Oil'] = round(s.oilTemp, 1);
    values['Flow/Air'] = round(s.state === 'running' && s.isLoaded ? config.deliveryRate : 0, 2);
    values['Hours/Run'] = Math.floor(s.runHours);
    values['Hours/Loaded'] = Math.floor(s.loadHours);
    values.Loaded = s.state === 'running' && s.isLoaded;
    values['Alarm/Overheated'] = s.reason === 'compressorHot';
    values['Alarm/PressureLow'] = s.bar < 5.5;
  };

  show();
  return {
    id,
    values: () => values,
    step(dtMs: number, context: StepContext) {
      for (let leftMs = dtMs; leftMs > 0; leftMs -= controlStepMs) {
        const partMs = Math.min(leftMs, controlStepMs);
        advanceState(partMs, context.isGridOn);
        advanceAir(partMs, context.airDemand);
      }
      show();
    },
    snapshot: () => ({ ...s, events: events.state(), noise: noise.state(), values: { ...values } }) as Json,
    restore(snapshot) {
      const saved = snapshot as Record<string, Json> | null;
      if (saved === null || typeof saved !== 'object' || Object.keys(s).some((key) => !(key in saved))) {
        throw new TypeError(`${id}: not a snapshot of a compressor`);
      }
      const { events: savedEvents, noise: savedNoise, values: savedValues, ...fields } = saved;
      events.restore(savedEvents);
      noise.restore(savedNoise);
      Object.assign(s, fields);
      Object.assign(values, savedValues);
    },
  };
}

export const compressor: MachineKind<CompressorConfig> = {
  id: 'compressor',
  name: { vi: 'Máy nén khí', en: 'Air compressor' },
  protocol: 'modbus',
  points: compressorPoints,
  create: createCompressor,
};
