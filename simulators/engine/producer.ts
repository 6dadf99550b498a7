import type { Value } from '@nhip/core/wire/sample';
import { alarmPrefix, metricNames } from '@nhip/core/wire/vocabulary';
import type { Json, Machine } from '../machine.ts';
import { createPrng, type Prng } from './prng.ts';
import { createStation, type Station, type StationConfig, type StepResult } from './station.ts';

/** What a machine kind adds to a station to make it a producing machine. */
export interface ProducerSpec<P extends Record<string, number>> {
  readonly id: string;
  readonly seed: number;
  readonly station: StationConfig;
  /** Process variables at the start; the kind moves them in `update`. */
  readonly process: P;
  readonly power: { readonly idleKw: number; readonly runKw: number };
  /** Names of all alarms below `Alarm/`; those of stops are set by the producer. */
  readonly alarms: readonly string[];
  /** Lets the process follow what the station did, and shows it in `moment.values`. */
  update(process: P, moment: Moment): void;
}

export interface Moment extends StepResult {
  readonly dtMs: number;
  readonly station: Station;
  /** Share of the step spent in cycles, 0 to 1. */
  readonly load: number;
  /** Noise only: it may be drawn every step without changing the sequence of events. */
  readonly noise: Prng;
  readonly values: Record<string, Value>;
}

/** A producing machine: a station for the events, process variables around it, power and energy. */
export function createProducer<P extends Record<string, number>>(spec: ProducerSpec<P>): Machine {
  const events = createPrng(spec.seed, spec.id);
  const noise = createPrng(spec.seed, `${spec.id}/noise`);
  const station = createStation(spec.station, events);
  const process = { ...spec.process };
  const values: Record<string, Value> = {};
  const alarms = spec.alarms.map((name) => ({ name, metric: alarmPrefix + name }));
  let [energyKwh, powerKw] = [Math.floor(20_000 * noise.next()), spec.power.idleKw];
  const moment = { dtMs: 0, runMs: 0, cycles: 0, load: 0, station, noise, values };

  const showStop = (): void => {
    values[metricNames.state] = station.state.state;
    values[metricNames.stateReason] = station.state.reason;
    for (const alarm of alarms) values[alarm.metric] = station.state.alarm === alarm.name;
  };

  const showJob = (): void => {
    values[metricNames.countGood] = station.state.good;
    values[metricNames.countReject] = station.state.reject;
    values[metricNames.cycleIdealMs] = station.product().idealCycleMs;
    values[metricNames.jobProduct] = station.product().name;
    values[metricNames.jobLot] = `L${station.state.lot}`;
  };

  const showPower = (): void => {
    values[metricNames.powerActive] = round(powerKw, 2);
    values[metricNames.energyImport] = round(energyKwh, 1);
  };

  const advancePower = (dtMs: number, load: number): void => {
    const { idleKw, runKw } = spec.power;
    const state = station.state.state;
    let meanKw = idleKw + (runKw - idleKw) * load;
    if (state === 'stopped') meanKw = 0;
    else if (state === 'notScheduled') meanKw = idleKw * 0.15;
    energyKwh += (meanKw * dtMs) / 3_600_000;
    powerKw = lag(powerKw, Math.max(0, meanKw * (1 + 0.04 * noise.normal())), 3_000, dtMs);
  };

  showStop();
  showJob();
  showPower();
  return {
    id: spec.id,
    values: () => values,
    step(dtMs, context) {
      const { runMs, cycles } = station.step(dtMs, context);
      Object.assign(moment, { dtMs, runMs, cycles, load: runMs / dtMs });
      advancePower(dtMs, moment.load);
      showStop();
      if (cycles > 0 || station.state.stopLeftMs > 0) showJob();
      showPower();
      spec.update(process, moment);
    },
    snapshot: () =>
      ({
        station: station.snapshot(),
        events: events.state(),
        noise: noise.state(),
        process: { ...process },
        energyKwh,
        powerKw,
        values: { ...values },
      }) as Json,
    restore(snapshot) {
      const saved = snapshot as Record<string, Json> | null;
      if (saved === null || typeof saved !== 'object' || typeof saved.energyKwh !== 'number' || typeof saved.powerKw !== 'number') {
        throw new TypeError(`${spec.id}: not a snapshot of this machine`);
      }
      station.restore(saved.station ?? null);
      events.restore(saved.events);
      noise.restore(saved.noise);
      Object.assign(process, saved.process);
      Object.assign(values, saved.values);
      energyKwh = saved.energyKwh;
      powerKw = saved.powerKw;
    },
  };
}

/** First-order lag: `current` after `dtMs` on its way to `target`. Exact for any step size. */
export function lag(current: number, target: number, timeConstantMs: number, dtMs: number): number {
  return target + (current - target) * Math.exp(-dtMs / timeConstantMs);
}

/** Never −0, which JSON would not keep. */
export function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor + 0;
}
