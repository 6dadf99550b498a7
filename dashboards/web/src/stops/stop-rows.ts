import type { DowntimeReasonView, DowntimeStop } from '@nhip/core/kpi/answers';
import type { Correction } from '@nhip/core/kpi/corrections';
import type { LocalName } from '@nhip/core/wire/live';

export interface Sum {
  readonly count: number;
  readonly ms: number;
}

/** A stop that is over. */
export type EndedStop = DowntimeStop & { readonly to: number };

/** Within the period: a stop that began before it or goes on after it counts with its part. */
export function sumOf(stops: readonly DowntimeStop[], period: { readonly from: number; readonly to: number }, now: number): Sum {
  let ms = 0;
  for (const { from, to } of stops) ms += Math.max(0, Math.min(to ?? now, period.to, now) - Math.max(from, period.from));
  return { count: stops.length, ms };
}

/**
 * The stop that this one may be merged with: of the same machine, from the moment on in which this one ends. The server takes only
 * stops that are over, and no time without data.
 */
export function mergeableOf(stop: DowntimeStop, stops: readonly DowntimeStop[]): EndedStop | undefined {
  if (stop.state === 'unknown') return undefined;
  return stops.find((other): other is EndedStop => other.machine === stop.machine && other.from === stop.to && other.to !== null);
}

/** The newest entry that holds: what "undo" takes back. */
export function newestHeld(corrections: readonly Correction[]): Exclude<Correction, { kind: 'withdraw' }> | undefined {
  const replaced = new Set(corrections.map(({ replaces }) => replaces));
  return corrections.findLast((entry) => entry.kind !== 'withdraw' && !replaced.has(entry.id)) as
    | Exclude<Correction, { kind: 'withdraw' }>
    | undefined;
}

/** Name of a standard code, or of a code of the plant that the server gave a meaning. */
export function reasonName(code: string, reasons: readonly DowntimeReasonView[]): LocalName | undefined {
  for (const reason of reasons) {
    if (reason.code === code) return reason.name;
    const own = reason.plantCodes.find((known) => known.code === code);
    if (own !== undefined) return own.name;
  }
  return undefined;
}

/** Half of it, on a whole second, for the first guess of where to split. */
export function middleOf(from: number, to: number): number {
  return Math.round((from + to) / 2000) * 1000;
}
