import { expectedMs, type KpiParts } from './parts.ts';

/** Below this share of known planned time the figures carry the flag `lowCoverage`. */
export const goodCoverage = 0.95;

const hourMs = 3_600_000;

/**
 * What a reader must know about the figures.
 * - `effectivenessAbove1`: the ideal cycle time is too generous; the figure is shown as it is.
 * - `qualityAbove1`: more good pieces than pieces, where counters are read at different times.
 * - `noIdealCycle`: pieces without an ideal cycle time are missing in effectiveness and OEE.
 * - `notCounted`: machines that count nothing ran; effectiveness and OEE are too low by them.
 * - `lowCoverage`: too much of the planned time is unknown.
 */
export type KpiFlag = 'effectivenessAbove1' | 'qualityAbove1' | 'noIdealCycle' | 'notCounted' | 'lowCoverage';

/** Ratios (1 is 100 %) and means; null where there is nothing to divide by or nothing is known. Never NaN, never clipped. */
export interface KpiFigures {
  /** APT / PBT */
  readonly availability: number | null;
  /** PRU · PQ / APT, also called performance */
  readonly effectiveness: number | null;
  /** PRU · GQ / PRU · PQ: GQ / PQ, weighted by ideal time so that products can be added */
  readonly quality: number | null;
  /** PRU · GQ / PBT: the product of the three above */
  readonly oee: number | null;
  /** Net equipment effectiveness: AUPT / PBT · effectiveness · quality */
  readonly nee: number | null;
  /** APT / (APT + ADET) */
  readonly technicalEfficiency: number | null;
  /** Set-up / AUPT */
  readonly setupRatio: number | null;
  /** CMT / (CMT + PMT) */
  readonly correctiveMaintenanceRatio: number | null;
  /** SQ / PQ */
  readonly scrapRatio: number | null;
  /** RQ / PQ */
  readonly reworkRatio: number | null;
  /** PQ per hour of planned busy time. ISO 22400-2 divides by the execution time of orders, which machines do not tell. */
  readonly throughputPerHour: number | null;
  /** Σ TBF / FE, ms */
  readonly mtbfMs: number | null;
  /** Σ TTR / FE, ms */
  readonly mttrMs: number | null;
  /** Wh per produced piece */
  readonly energyPerPieceWh: number | null;
  /** Known time / expected time (machines × period) */
  readonly coverage: number | null;
  /** Known time / planned operation time: what availability and OEE rest on */
  readonly plannedCoverage: number | null;
  readonly flags: readonly KpiFlag[];
}

/**
 * ISO 22400-2 figures from summed parts. The divisor of MTBF and MTTR is FE; reproductions of the standard with FE + 1 exist.
 * A failure counts where it began: a period with repair time but without a beginning has no MTTR.
 */
export function kpiFigures(parts: KpiParts): KpiFigures {
  const { pbtMs, aptMs, auptMs, idealMs, idealGoodMs, produced, failureEvents } = parts;
  const isCounted = aptMs === 0 || parts.uncountedMs < aptMs;
  const hasIdeal = idealMs > 0 || parts.producedWithoutIdeal === 0;
  const isRated = isCounted && hasIdeal;
  const effectiveness = isRated ? ratio(idealMs, aptMs) : null;
  const quality = ratio(idealGoodMs, idealMs);
  const expected = expectedMs(parts);
  const plannedCoverage = ratio(parts.potMs - parts.unknownPlannedMs, parts.potMs);

  const flags: KpiFlag[] = [];
  if (effectiveness !== null && effectiveness > 1) flags.push('effectivenessAbove1');
  if (quality !== null && quality > 1) flags.push('qualityAbove1');
  if (parts.producedWithoutIdeal > 0) flags.push('noIdealCycle');
  if (parts.uncountedMs > 0) flags.push('notCounted');
  if (plannedCoverage !== null && plannedCoverage < goodCoverage) flags.push('lowCoverage');

  return {
    availability: ratio(aptMs, pbtMs),
    effectiveness,
    quality,
    oee: isRated ? ratio(idealGoodMs, pbtMs) : null,
    nee: isRated ? ratio(auptMs * idealGoodMs, pbtMs * aptMs) : null,
    technicalEfficiency: ratio(aptMs, aptMs + parts.adetMs),
    setupRatio: ratio(parts.setupMs, auptMs),
    correctiveMaintenanceRatio: ratio(parts.correctiveMaintenanceMs, parts.correctiveMaintenanceMs + parts.plannedMaintenanceMs),
    scrapRatio: ratio(parts.scrap, produced),
    reworkRatio: ratio(parts.rework, produced),
    throughputPerHour: ratio(produced * hourMs, pbtMs),
    mtbfMs: ratio(parts.tbfMs, failureEvents),
    mttrMs: ratio(parts.ttrMs, failureEvents),
    energyPerPieceWh: parts.energyWh === null ? null : ratio(parts.energyWh, produced),
    coverage: ratio(expected - parts.statesMs.unknown, expected),
    plannedCoverage,
    flags,
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
