import type { Json, StepContext } from '../machine.ts';
import type { Prng } from './prng.ts';

/**
 * The part that all producing machines share: cycles, counters, stops, jobs and waiting for material.
 *
 * It runs by events (end of a cycle, of a stop, …) inside of each step, and draws random numbers only at events: the size of
 * the steps changes neither the statistics nor, for a machine that never waits, the exact sequence.
 */
export interface Station {
  step(dtMs: number, context: StepContext): StepResult;
  readonly state: Readonly<StationState>;
  /** The product that is made now. */
  product(): Product;
  /** Stops the machine after the running cycle, e.g. to change a worn tool. Ignored while another request waits. */
  request(stop: Omit<Stop, 'everyMs'>): void;
  /** Multiplies the share of rejects, e.g. for a worn tool. 1: as configured. */
  setWear(factor: number): void;
  snapshot(): Json;
  restore(snapshot: Json): void;
}

export interface StepResult {
  /** Time spent inside of cycles. */
  readonly runMs: number;
  readonly cycles: number;
}

export interface Stop {
  readonly state: 'fault' | 'idle' | 'setup' | 'maintenance';
  /** A reason of `machines/reasons.ts`; '' when the controller does not know why. */
  readonly reason: string;
  /** Mean running time between two of them. */
  readonly everyMs: number;
  /** Mean length. */
  readonly lastsMs: number;
  /** `Alarm/<name>`, true while the stop lasts. */
  readonly alarm?: string;
}

export interface Product {
  readonly name: string;
  readonly idealCycleMs: number;
  readonly lotPieces: number;
}

export interface StationConfig {
  readonly products: readonly Product[];
  /** Mean of real cycle ÷ ideal cycle, e.g. 1.05. */
  readonly slowness: number;
  /** Standard deviation of the cycle, as a share of it. */
  readonly cycleSpread: number;
  readonly rejectShare: number;
  /** At least one. */
  readonly stops: readonly Stop[];
  /** Mean length of a change of product. */
  readonly changeoverMs: number;
  /** Mean length of the start-up after a night or a grid outage. */
  readonly warmUpMs: number;
  /** Pieces that one cycle takes from each inlet. */
  readonly piecesPerCycle: number;
  /** Below this pressure it waits for air; 0 for machines without pneumatics. */
  readonly minimumAirBar: number;
}

interface StationState {
  state: 'running' | Stop['state'] | 'stopped' | 'notScheduled';
  reason: string;
  alarm: string;
  good: number;
  reject: number;
  productIndex: number;
  lot: number;
  lotLeft: number;
  stopLeftMs: number;
  cycleLeftMs: number;
  untilStopMs: number;
  waitedMs: number;
  resume: '' | 'shiftStart' | 'restart';
  requested: Omit<Stop, 'everyMs'> | null;
  wear: number;
}

/** Waiting shorter than this is the normal rhythm of a line, not a stop. */
const graceMs = 15_000;
/** A starved machine waits until so many cycles' worth of pieces have come, so that it does not flutter. */
const restartCycles = 3;

export function createStation(config: StationConfig, random: Prng): Station {
  const stopRate = config.stops.reduce((sum, stop) => sum + 1 / stop.everyMs, 0);
  const productAt = (index: number): Product => config.products[index % config.products.length] as Product;
  const firstLot = 1000 + Math.floor(random.next() * 8000);

  const s: StationState = {
    state: 'running',
    reason: '',
    alarm: '',
    good: 0,
    reject: 0,
    productIndex: Math.floor(random.next() * config.products.length),
    lot: firstLot,
    lotLeft: 0,
    stopLeftMs: 0,
    cycleLeftMs: 0,
    untilStopMs: random.exponential(1 / stopRate),
    waitedMs: 0,
    resume: '',
    requested: null,
    wear: 1,
  };
  s.lotLeft = Math.ceil(productAt(s.productIndex).lotPieces * (0.2 + 0.8 * random.next()));

  const enter = (state: StationState['state'], reason: string, alarm = ''): void => {
    s.state = state;
    s.reason = reason;
    s.alarm = alarm;
  };

  const beginStop = (stop: Omit<Stop, 'everyMs'>): void => {
    enter(stop.state, stop.reason, stop.alarm);
    s.stopLeftMs = random.duration(stop.lastsMs);
    s.waitedMs = 0;
  };

  const drawStop = (): Stop => {
    let pick = random.next() * stopRate;
    for (const stop of config.stops) {
      pick -= 1 / stop.everyMs;
      if (pick <= 0) return stop;
    }
    return config.stops[0] as Stop;
  };

  /** What the machine waits for; '' when a cycle can start. */
  const missing = (context: StepContext): string => {
    if (context.airBar < config.minimumAirBar) return 'noAir';
    const isWaiting = s.state === 'idle';
    if (context.feed.waiting() < config.piecesPerCycle * (isWaiting ? restartCycles : 1)) return 'starved';
    if (context.feed.room() < (isWaiting ? restartCycles : 1)) return 'blocked';
    return '';
  };

  const startCycle = (context: StepContext): void => {
    context.feed.take(config.piecesPerCycle);
    const spread = Math.max(-2.5, Math.min(3.5, random.normal())) * config.cycleSpread;
    s.cycleLeftMs = productAt(s.productIndex).idealCycleMs * Math.max(0.9, config.slowness * (1 + spread));
    s.waitedMs = 0;
    if (s.state !== 'running') enter('running', '');
  };

  const endCycle = (context: StepContext): void => {
    s.cycleLeftMs = 0;
    if (random.next() < config.rejectShare * s.wear) {
      s.reject = (s.reject + 1) >>> 0;
    } else {
      s.good = (s.good + 1) >>> 0;
      context.feed.put();
      s.lotLeft--;
    }
    if (s.requested !== null) {
      beginStop(s.requested);
      s.requested = null;
    } else if (s.lotLeft <= 0) {
      s.lot++;
      s.productIndex = (s.productIndex + 1) % config.products.length;
      s.lotLeft = productAt(s.productIndex).lotPieces;
      beginStop({ state: 'setup', reason: 'changeover', lastsMs: config.changeoverMs });
    }
  };

  const endRun = (): void => {
    s.untilStopMs = random.exponential(1 / stopRate);
    const stop = drawStop();
    beginStop(stop);
    const isScrapped = s.cycleLeftMs > 0 && stop.state === 'fault' && random.next() < 0.25;
    if (isScrapped) {
      s.cycleLeftMs = 0;
      s.reject = (s.reject + 1) >>> 0;
    }
  };

  /** True when the machine can work; otherwise it is in the state that the surroundings ask for. */
  const isAllowed = (context: StepContext): boolean => {
    if (!context.isGridOn) {
      enter('stopped', 'gridOutage');
      s.resume = 'restart';
      return false;
    }
    if (context.schedule !== 'work') {
      enter('notScheduled', context.schedule === 'break' ? 'mealBreak' : '');
      if (context.schedule === 'off') s.resume = 'shiftStart';
      return false;
    }
    if (s.resume !== '') {
      beginStop({ state: 'setup', reason: s.resume, lastsMs: config.warmUpMs });
      s.resume = '';
    } else if (s.state === 'notScheduled' || s.state === 'stopped') {
      enter('running', '');
      s.stopLeftMs = 0;
    }
    return true;
  };

  return {
    state: s,
    product: () => productAt(s.productIndex),
    request(stop) {
      s.requested ??= stop;
    },
    setWear(factor) {
      s.wear = factor;
    },
    step(dtMs, context) {
      if (!isAllowed(context)) return { runMs: 0, cycles: 0 };
      let [leftMs, runMs, cycles] = [dtMs, 0, 0];
      while (leftMs > 0) {
        if (s.stopLeftMs > 0) {
          const usedMs = Math.min(leftMs, s.stopLeftMs);
          s.stopLeftMs -= usedMs;
          leftMs -= usedMs;
          if (s.stopLeftMs <= 0) enter('running', '');
          continue;
        }
        if (s.cycleLeftMs <= 0) {
          const reason = missing(context);
          if (reason !== '') {
            // Conveyors change only between the steps of two machines: nothing can come before the end of this step.
            s.waitedMs += leftMs;
            if (s.waitedMs >= graceMs) enter('idle', reason);
            break;
          }
          startCycle(context);
        }
        const usedMs = Math.min(leftMs, s.cycleLeftMs, s.untilStopMs);
        s.cycleLeftMs -= usedMs;
        s.untilStopMs -= usedMs;
        leftMs -= usedMs;
        runMs += usedMs;
        if (s.cycleLeftMs <= 0) {
          cycles++;
          endCycle(context);
        }
        if (s.untilStopMs <= 0 && s.stopLeftMs <= 0) endRun();
      }
      return { runMs, cycles };
    },
    snapshot: () => ({ ...s, requested: s.requested === null ? null : { ...s.requested } }) as unknown as Json,
    restore(snapshot) {
      const saved = snapshot as Partial<StationState> | null;
      if (saved === null || typeof saved !== 'object' || Object.keys(s).some((key) => !(key in saved))) {
        throw new TypeError('station: the snapshot lacks fields');
      }
      Object.assign(s, saved);
    },
  };
}
