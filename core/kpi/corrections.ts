import type { MachineState } from '../wire/vocabulary.ts';
import { isStopState, type ReasonMap, type StopState } from './reasons.ts';
import { firstEndingAfter, type Span } from './span.ts';

/** What a machine was in [from, to). Lists are contiguous, oldest first. */
export interface MachineInterval extends Span {
  readonly state: MachineState;
  readonly reason: string | null;
}

/** One entry of the append-only list of a machine: who said when what about which time. Names of persons stay in the factory. */
export type Correction = Reclassify | Split | Merge | Withdraw;

interface Entry {
  readonly id: string;
  readonly machine: string;
  readonly by: string;
  readonly atMs: number;
  readonly note?: string;
  /** Id of an earlier entry that no longer holds. */
  readonly replaces?: string;
}

/** Gives the stop time in [fromMs, toMs) a reason. */
export interface Reclassify extends Entry {
  readonly kind: 'reclassify';
  readonly fromMs: number;
  /** null: until the machine leaves the state that it had at `fromMs`; for a stop that goes on, at most `maxOpenMs`. */
  readonly toMs: number | null;
  readonly reason: string | null;
  /** Absent: the state that the reason shows, or the machine's. */
  readonly state?: StopState;
}

/** From `splitMs` on it is another stop; its reason is for a `reclassify` to tell. */
export interface Split extends Entry {
  readonly kind: 'split';
  readonly splitMs: number;
}

/** The stop time in [fromMs, toMs) is one stop: earlier splits in it no longer hold. State and reason are written down, not derived. */
export interface Merge extends Entry {
  readonly kind: 'merge';
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string | null;
  readonly state: StopState;
}

/** Only takes back what it `replaces`. */
export interface Withdraw extends Entry {
  readonly kind: 'withdraw';
  readonly replaces: string;
}

/** An interval after corrections. `isCut`: a person said that another stop begins here. */
export interface CorrectedInterval extends MachineInterval {
  readonly isCut: boolean;
}

/** An open `reclassify` holds no longer than this. */
export const maxOpenMs = 7 * 86_400_000;

/** Entries that hold, in the order of the list. What was replaced stays so, even when the replacement is taken back. */
export function heldCorrections(corrections: readonly Correction[]): readonly Correction[] {
  const replaced = new Set(corrections.map((correction) => correction.replaces));
  return corrections.filter((correction) => correction.kind !== 'withdraw' && !replaced.has(correction.id));
}

/**
 * The intervals as people corrected them: the same time, contiguous, whatever the list says.
 *
 * Entries speak of time, not of intervals, and apply in the order of the list, so they hold when late data restates the intervals:
 * each instant takes the last entry that covers it. Only stop time changes. Running stays running and no data stays no data, which
 * may be given a reason (a power cut) but never a state: data wins over people about whether a machine ran.
 *
 * @param corrections of this machine
 */
export function applyCorrections(
  intervals: readonly MachineInterval[],
  corrections: readonly Correction[],
  reasons: ReasonMap,
): readonly CorrectedInterval[] {
  const held = heldCorrections(corrections);
  const cuts = splitTimes(held);
  const claims = held.flatMap((correction) => claimOf(correction, intervals));
  const bounds = [...new Set([...cuts, ...claims.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);

  const corrected: CorrectedInterval[] = [];
  let next = 0;
  for (const interval of intervals) {
    while (next < bounds.length && (bounds[next] as number) <= interval.from) next++;
    let from = interval.from;
    while (from < interval.to) {
      const bound = bounds[next];
      const to = bound !== undefined && bound < interval.to ? bound : interval.to;
      if (to === bound) next++;
      const { state, reason } = correctedAt(from, interval, claims, reasons);
      append(corrected, { from, to, state, reason, isCut: cuts.has(from) });
      from = to;
    }
  }
  return corrected;
}

interface Claim extends Span {
  readonly correction: Reclassify | Merge;
}

function claimOf(correction: Correction, intervals: readonly MachineInterval[]): readonly Claim[] {
  if (correction.kind !== 'reclassify' && correction.kind !== 'merge') return [];
  const from = correction.fromMs;
  const to = correction.toMs ?? openEnd(intervals, from);
  return from < to ? [{ from, to, correction }] : [];
}

/** When the machine left the state that it had at `fromMs`. */
function openEnd(intervals: readonly MachineInterval[], fromMs: number): number {
  let i = firstEndingAfter(intervals, fromMs);
  const first = intervals[i];
  if (first === undefined || first.from > fromMs) return fromMs;
  while (intervals[i + 1]?.state === first.state) i++;
  return Math.min((intervals[i] as MachineInterval).to, fromMs + maxOpenMs);
}

function splitTimes(held: readonly Correction[]): ReadonlySet<number> {
  const cuts = new Set<number>();
  for (const correction of held) {
    if (correction.kind === 'split') cuts.add(correction.splitMs);
    if (correction.kind === 'merge') for (const at of cuts) if (at > correction.fromMs && at < correction.toMs) cuts.delete(at);
  }
  return cuts;
}

function correctedAt(
  atMs: number,
  { state, reason }: MachineInterval,
  claims: readonly Claim[],
  reasons: ReasonMap,
): { readonly state: MachineState; readonly reason: string | null } {
  if (!isStopState(state) && state !== 'unknown') return { state, reason };
  const claim = claims.findLast(({ from, to }) => from <= atMs && atMs < to);
  if (claim === undefined) return { state, reason };
  const said = claim.correction;
  return { state: state === 'unknown' ? state : (said.state ?? shownState(state, said.reason, reasons)), reason: said.reason };
}

/** What a person's reason makes of a state; an unplanned reason for maintenance makes it corrective. */
function shownState(state: StopState, text: string | null, reasons: ReasonMap): StopState {
  const reason = text === null ? undefined : reasons.get(text);
  if (reason?.state === undefined || (state === 'maintenance' && reason.kind === 'unplanned')) return state;
  return reason.state;
}

function append(intervals: CorrectedInterval[], next: CorrectedInterval): void {
  const last = intervals.at(-1);
  if (last !== undefined && !next.isCut && last.state === next.state && last.reason === next.reason) {
    intervals[intervals.length - 1] = { from: last.from, to: next.to, state: last.state, reason: last.reason, isCut: last.isCut };
  } else {
    intervals.push(next);
  }
}
