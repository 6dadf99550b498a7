import { expectedMs, type KpiParts } from '@nhip/core/kpi/parts';
import { secondsByState, wholeSeconds } from '@nhip/core/kpi/seconds';
import type { Kpi, MachineState } from '../contract/report.ts';

/**
 * From ms to the whole seconds of a report.
 *
 * Each report is computed from the ms of its own period: the day is the rounded sum, not the sum of 24 rounded hours, so both say what
 * the source says to the second, and hours may differ from their day by the rounding of each hour (less than half a second a value).
 * Within a report the rules of the contract hold exactly: the states add up (largest remainder), and a time that is part of another
 * one is never longer than it.
 */
export interface ReportSeconds {
  readonly expected: number;
  readonly observed: number;
  readonly byState: Readonly<Record<MachineState, number>>;
  readonly kpi: Omit<Kpi, 'failureEvents'>;
}

export function reportSeconds(parts: KpiParts): ReportSeconds {
  const byState = secondsByState(parts.statesMs);
  const expected = wholeSeconds(expectedMs(parts));
  const observed = expected - byState.unknown;
  const pbtSeconds = Math.min(wholeSeconds(parts.pbtMs), observed - byState.notScheduled);
  const auptSeconds = Math.min(wholeSeconds(parts.auptMs), pbtSeconds);
  const kpi = {
    pbtSeconds,
    aptSeconds: Math.min(wholeSeconds(parts.aptMs), auptSeconds),
    auptSeconds,
    adetSeconds: Math.min(wholeSeconds(parts.adetMs), pbtSeconds),
    idealSeconds: wholeSeconds(parts.idealMs),
    idealSecondsGood: wholeSeconds(parts.idealGoodMs),
    ttrSeconds: wholeSeconds(parts.ttrMs),
    tbfSeconds: wholeSeconds(parts.tbfMs),
  };
  return { expected, observed, byState, kpi };
}

/** Whole seconds for each of the times whose sum is `total`: rounded down, and what is left to the largest rests, the first of equals. */
export function shareSeconds(timesMs: readonly number[], total: number): readonly number[] {
  const seconds = timesMs.map((ms) => Math.floor(ms / 1000));
  const left = total - seconds.reduce((sum, each) => sum + each, 0);
  const byRest = [...timesMs.keys()].sort((a, b) => restOf(timesMs[b]) - restOf(timesMs[a]));
  for (const index of byRest.slice(0, Math.max(0, left))) seconds[index] = (seconds[index] ?? 0) + 1;
  return seconds;
}

function restOf(ms = 0): number {
  return ms % 1000;
}
