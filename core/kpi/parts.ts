import { type MachineState, machineStates } from '../wire/vocabulary.ts';

/**
 * What a machine, a line or a plant did in a period, as sums: parts of two scopes or of two periods are added, and every
 * ratio is computed from the sum (figures.ts). Times are whole ms. Quantities (pieces, or kg, m … of the counter) and ideal times
 * have at most three decimals, so that sums are exact in any order (`toThousandths`). Names follow ISO 22400-2.
 *
 * Always: `potMs` = pbt + planned stops + planned maintenance + unknown in planned time; `pbtMs` = apt + set-up + adet + adot;
 * `auptMs` = apt + set-up. Times "of which" are counted within another one as well.
 */
export interface KpiParts {
  /** Sum: machines × length of the period. After the calendar and corrections. */
  readonly statesMs: Readonly<Record<MachineState, number>>;
  /** Planned operation time (POT): the calendar without breaks, and the time that the machine ran outside it. */
  readonly potMs: number;
  /** Planned busy time (PBT). */
  readonly pbtMs: number;
  /** Actual production time (APT): running. */
  readonly aptMs: number;
  /** Actual unit set-up time (AUST). */
  readonly setupMs: number;
  /** Actual unit processing time (AUPT). */
  readonly auptMs: number;
  /** Actual unit delay time (ADET): failures, corrective maintenance, micro-stops, stops with an unplanned reason. */
  readonly adetMs: number;
  /** Actual unit down time (ADOT): the rest of idle and stopped. */
  readonly adotMs: number;
  /** Planned downtime other than maintenance: outside PBT. */
  readonly plannedStopMs: number;
  /** Planned maintenance time (PMT): outside PBT. */
  readonly plannedMaintenanceMs: number;
  /** Corrective maintenance time (CMT): of which ADET. */
  readonly correctiveMaintenanceMs: number;
  /** Time without data in planned operation time: outside PBT, of which POT and `unknown`. */
  readonly unknownPlannedMs: number;
  /** Interruptions shorter than the threshold: of which ADET. */
  readonly microStops: number;
  readonly microStopMs: number;
  /** Stops that nobody gave a reason for, without micro-stops. */
  readonly unexplainedStops: number;
  readonly unexplainedMs: number;
  /** FE: failures that began in the period. */
  readonly failureEvents: number;
  /** Σ TTR: failure and corrective maintenance in planned time: of which ADET. */
  readonly ttrMs: number;
  /** Σ TBF: operating time (AUPT) between failures. */
  readonly tbfMs: number;
  /** PQ */
  readonly produced: number;
  /** GQ */
  readonly good: number;
  /** SQ */
  readonly scrap: number;
  /** RQ: what is declared; machines count none. */
  readonly rework: number;
  /** Σ PRU · PQ over the pieces whose ideal cycle time is known. */
  readonly idealMs: number;
  /** Σ PRU · GQ */
  readonly idealGoodMs: number;
  /** Produced while no ideal cycle time was known: of which PQ. */
  readonly producedWithoutIdeal: number;
  /** APT of machines that count no pieces: of which APT. */
  readonly uncountedMs: number;
  /** null: nothing was metered. */
  readonly energyWh: number | null;
}

type SumName = Exclude<keyof KpiParts, 'statesMs' | 'energyWh'>;

const nothing: Readonly<Record<SumName, number>> = {
  potMs: 0,
  pbtMs: 0,
  aptMs: 0,
  setupMs: 0,
  auptMs: 0,
  adetMs: 0,
  adotMs: 0,
  plannedStopMs: 0,
  plannedMaintenanceMs: 0,
  correctiveMaintenanceMs: 0,
  unknownPlannedMs: 0,
  microStops: 0,
  microStopMs: 0,
  unexplainedStops: 0,
  unexplainedMs: 0,
  failureEvents: 0,
  ttrMs: 0,
  tbfMs: 0,
  produced: 0,
  good: 0,
  scrap: 0,
  rework: 0,
  idealMs: 0,
  idealGoodMs: 0,
  producedWithoutIdeal: 0,
  uncountedMs: 0,
};
const sumNames = Object.keys(nothing) as readonly SumName[];
const noStates = Object.fromEntries(machineStates.map((state) => [state, 0])) as Readonly<Record<MachineState, number>>;

/** Parts that change while they are summed up. */
export type DraftParts = { -readonly [Name in keyof KpiParts]: Name extends 'statesMs' ? Record<MachineState, number> : KpiParts[Name] };

/** The neutral element of `addParts`. */
export function emptyParts(): DraftParts {
  return { statesMs: { ...noStates }, ...nothing, energyWh: null };
}

/** Of two scopes or two periods that do not overlap. Associative and commutative, exactly. */
export function addParts(a: KpiParts, b: KpiParts): KpiParts {
  return sumParts([a, b]);
}

export function sumParts(list: Iterable<KpiParts>): KpiParts {
  const sum = emptyParts();
  for (const parts of list) {
    for (const state of machineStates) sum.statesMs[state] += parts.statesMs[state];
    for (const name of sumNames) sum[name] = toThousandths(sum[name] + parts[name]);
    sum.energyWh = addEnergy(sum.energyWh, parts.energyWh);
  }
  return sum;
}

/** Wh; null is "not metered", not zero. */
export function addEnergy(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : a + b;
}

/** Σ of the eight states: machines × length of the period, ms. */
export function expectedMs(parts: KpiParts): number {
  let sum = 0;
  for (const state of machineStates) sum += parts.statesMs[state];
  return sum;
}

/**
 * The nearest number with three decimals. Sums of such numbers, rounded again, are exact up to 4·10¹²: the error of an addition is
 * far below half a thousandth, and each decimal has one nearest double.
 */
export function toThousandths(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * 1000) / 1000;
}
