import { addEnergy, type KpiParts, sumParts } from './parts.ts';
import { type EnergyStep, energyWh, type ProductionStep, type ProductParts, pieceParts, sumProducts } from './production.ts';
import type { Span } from './span.ts';
import type { MachineTimeline } from './time-model.ts';
import { timeParts } from './time-parts.ts';

/** A machine's history, prepared once for any number of periods. */
export interface MachineHistory {
  readonly timeline: MachineTimeline;
  /** null: the machine counts no pieces. */
  readonly production: readonly ProductionStep[] | null;
  /** null: the machine has no meter. */
  readonly energy: readonly EnergyStep[] | null;
}

/** The parts of one machine in [from, to). Throws a RangeError for a period outside its timeline. */
export function machineParts({ timeline, production, energy }: MachineHistory, period: Span): KpiParts {
  const times = timeParts(timeline, period);
  const pieces = production === null ? { uncountedMs: times.aptMs } : pieceParts(production, period);
  return { ...times, ...pieces, energyWh: energy === null ? null : energyWh(energy, period) };
}

/** A machine in a line. */
export interface LineMember<Parts> {
  readonly parts: Parts;
  /**
   * Pieces of the line are those of its outputs: of a serial line the last machine, of parallel machines every one. Pieces
   * of the others are the same pieces, counted on their way.
   */
  readonly isOutput: boolean;
}

/**
 * Times, events, ideal times and energy of all machines; pieces of the outputs. So OEE is Σ PRU·GQ / Σ PBT over the machines, and
 * a line, an area or a site is never the mean of its parts.
 *
 * @param meterWh of a meter that measures the whole line; it replaces the sum of the machines' own
 */
export function lineParts(members: readonly LineMember<KpiParts>[], meterWh: number | null = null): KpiParts {
  const sum = sumParts(members.map(({ parts, isOutput }) => (isOutput ? parts : { ...parts, ...noPieces, rework: 0 })));
  return meterWh === null ? sum : { ...sum, energyWh: meterWh };
}

/** The same by product. */
export function lineProducts(members: readonly LineMember<readonly ProductParts[]>[]): readonly ProductParts[] {
  return sumProducts(members.map(({ parts, isOutput }) => (isOutput ? parts : parts.map((row) => ({ ...row, ...noPieces })))));
}

/**
 * An area from its lines, a site from its areas: their sum.
 *
 * @param meterWh of a meter that measures the whole; it replaces the sum of what is measured below
 */
export function scopeParts(list: readonly KpiParts[], meterWh: number | null = null): KpiParts {
  const sum = sumParts(list);
  return meterWh === null ? sum : { ...sum, energyWh: meterWh };
}

/** Wh of several meters of one scope; null when there is none. */
export function metersWh(list: readonly (number | null)[]): number | null {
  return list.reduce(addEnergy, null);
}

const noPieces = { produced: 0, good: 0, scrap: 0 } as const;
