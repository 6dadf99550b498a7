import type { MachineState } from '../wire/vocabulary.ts';
import {
  applyCorrections,
  type CorrectedInterval,
  type Correction,
  heldCorrections,
  type MachineInterval,
  maxOpenMs,
} from './corrections.ts';
import { isStopState, type ReasonMap, reasonMap, unexplained } from './reasons.ts';
import { covers, firstEndingAfter, type Span } from './span.ts';

/** Where a moment is counted (ISO 22400-2): each in exactly one bucket. The first five are planned busy time. */
export type TimeBucket =
  | 'production'
  | 'setup'
  | 'delay'
  | 'correctiveMaintenance'
  | 'down'
  | 'plannedMaintenance'
  | 'plannedStop'
  | 'unknownPlanned'
  | 'unknown'
  | 'notScheduled';

export interface TimeRules {
  readonly reasons: ReasonMap;
  /** Shorter unplanned interruptions are micro-stops. */
  readonly microStopMs: number;
}

export const defaultRules: TimeRules = { reasons: reasonMap(), microStopMs: 120_000 };

/** A piece of time with everything that is counted of it. Of things that are counted once, the piece holds the beginning. */
export interface TimePiece extends Span {
  /** After corrections and the calendar. */
  readonly state: MachineState;
  readonly reason: string | null;
  readonly bucket: TimeBucket;
  /** Of a micro-stop; `begins`: its first piece. */
  readonly microStop: 'begins' | 'goesOn' | null;
  /** Of a failure or its repair, in planned time. */
  readonly failure: 'begins' | 'goesOn' | null;
  /** Of a stop in planned time. */
  readonly stop: 'begins' | 'goesOn' | null;
  /** A stop whose reason is to be told. */
  readonly isUnexplained: boolean;
}

/** What one machine did over a range: pieces cover [from, to) without gap or overlap. */
export interface MachineTimeline extends Span {
  readonly pieces: readonly TimePiece[];
}

/**
 * The range of history that must be read to know [from, to) exactly: with it, neighbouring periods computed apart add up to the
 * whole. It reaches to where a stop is too long to be a micro-stop, to the planned time before (a failure that goes on through the
 * night is one), and to the beginning of stops that were explained while they lasted.
 *
 * @param planned covers the time before `period` as far as a failure may last, e.g. 14 days
 */
export function contextRange(period: Span, planned: readonly Span[], rules: TimeRules, corrections: readonly Correction[] = []): Span {
  const margin = Math.max(1, rules.microStopMs);
  let from = period.from - margin;
  if (!covers(planned, period.from - 1)) {
    const before = planned[firstEndingAfter(planned, period.from - 1) - 1];
    if (before !== undefined) from = Math.min(from, before.to - 1);
  }
  const to = period.to + margin;
  const seenFrom = from;
  for (const correction of heldCorrections(corrections)) {
    if (correction.kind !== 'reclassify' || correction.toMs !== null) continue;
    const { fromMs } = correction;
    if (fromMs < to && fromMs + maxOpenMs > seenFrom) from = Math.min(from, fromMs);
  }
  return { from, to };
}

/**
 * Sorts a machine's time into the buckets of ISO 22400-2.
 *
 * Outside the calendar a machine is `notScheduled`, unless it runs: that is planned and busy time that somebody decided on later.
 * Time without data is `unknown` wherever it lies. A machine that says `notScheduled` itself is believed.
 * Stops that touch an end of the intervals: the beginning was not seen and is not counted, and they are no micro-stops.
 *
 * @param intervals contiguous, over `contextRange` of what is asked; may be [] for an empty timeline
 * @param planned planned operation time: disjoint, oldest first, over the same range
 * @param corrections of this machine, in the order of the list
 */
export function machineTimeline(
  intervals: readonly MachineInterval[],
  planned: readonly Span[],
  rules: TimeRules = defaultRules,
  corrections: readonly Correction[] = [],
): MachineTimeline {
  const drafts = cutByPlan(applyCorrections(intervals, corrections, rules.reasons), planned, rules.reasons);
  markMicroStops(drafts, rules.microStopMs);
  markFailures(drafts);
  markStops(drafts);
  return { from: drafts[0]?.from ?? 0, to: drafts.at(-1)?.to ?? 0, pieces: drafts };
}

type Draft = { -readonly [Name in keyof TimePiece]: TimePiece[Name] } & { isCut: boolean; isPlanned: boolean; isFailure: boolean };

function cutByPlan(intervals: readonly CorrectedInterval[], planned: readonly Span[], reasons: ReasonMap): Draft[] {
  const drafts: Draft[] = [];
  let next = firstEndingAfter(planned, intervals[0]?.from ?? 0);
  for (const interval of intervals) {
    for (let from = interval.from; from < interval.to; ) {
      let span = planned[next];
      if (span !== undefined && span.to <= from) span = planned[++next];
      const isPlanned = span !== undefined && span.from <= from;
      const bound = span === undefined ? interval.to : isPlanned ? span.to : span.from;
      const to = Math.min(interval.to, bound);
      drafts.push(draftOf(interval, from, to, isPlanned, reasons));
      from = to;
    }
  }
  return drafts;
}

function draftOf(interval: CorrectedInterval, from: number, to: number, isPlanned: boolean, reasons: ReasonMap): Draft {
  const { state: said, reason: text } = interval;
  const reason = text === null ? undefined : reasons.get(text);
  const meaning = reason?.code === unexplained ? undefined : reason;
  // Idle and stopped say nothing of the cause: a reason tells more.
  const meant = (said === 'idle' || said === 'stopped') && meaning?.state !== undefined ? meaning.state : said;
  const bucket = bucketOf(meant, isPlanned, meaning?.kind);
  const isOpenToReasons = meant === 'idle' || meant === 'stopped' || meant === 'fault';
  return {
    from,
    to,
    state: bucket === 'notScheduled' ? 'notScheduled' : meant,
    reason: text,
    bucket,
    microStop: null,
    failure: null,
    stop: null,
    isUnexplained: isPlanned && isOpenToReasons && (text === null || reason?.code === unexplained),
    isCut: interval.isCut && interval.from === from,
    isPlanned,
    isFailure: (meant === 'fault' && meaning?.kind !== 'planned') || (meant === 'maintenance' && meaning?.kind === 'unplanned'),
  };
}

function bucketOf(state: MachineState, isPlanned: boolean, kind: 'planned' | 'unplanned' | undefined): TimeBucket {
  if (state === 'unknown') return isPlanned ? 'unknownPlanned' : 'unknown';
  if (state === 'running') return 'production';
  if (state === 'notScheduled' || !isPlanned) return 'notScheduled';
  if (state === 'setup') return 'setup';
  if (state === 'maintenance') return kind === 'unplanned' ? 'correctiveMaintenance' : 'plannedMaintenance';
  if (kind === 'planned') return 'plannedStop';
  return state === 'fault' || kind === 'unplanned' ? 'delay' : 'down';
}

/** An interruption: all unplanned stop time between production, set-up and time that is not planned. */
function markMicroStops(drafts: readonly Draft[], microStopMs: number): void {
  const isInterrupted = (draft: Draft) => draft.bucket === 'delay' || draft.bucket === 'down' || draft.bucket === 'correctiveMaintenance';
  for (let i = 0; i < drafts.length; i++) {
    const first = drafts[i] as Draft;
    if (!isInterrupted(first)) continue;
    const begin = i;
    while (i + 1 < drafts.length && isInterrupted(drafts[i + 1] as Draft)) i++;
    const before = drafts[begin - 1];
    const after = drafts[i + 1];
    // How long it was is not known when a neighbour is.
    if (before === undefined || after === undefined || before.state === 'unknown' || after.state === 'unknown') continue;
    if ((drafts[i] as Draft).to - first.from >= microStopMs) continue;
    for (let k = begin; k <= i; k++) {
      const draft = drafts[k] as Draft;
      draft.microStop = k === begin ? 'begins' : 'goesOn';
      draft.isUnexplained = false;
      if (draft.bucket === 'down') draft.bucket = 'delay';
    }
  }
}

/** A failure lasts as long as the machine is in fault or under repair, planned time or not; it begins in the first planned moment. */
function markFailures(drafts: readonly Draft[]): void {
  let isCounted = false;
  for (const [i, draft] of drafts.entries()) {
    if (!draft.isFailure) {
      isCounted = false;
    } else if (draft.isPlanned) {
      draft.failure = isCounted || i === 0 ? 'goesOn' : 'begins';
      isCounted = true;
    }
  }
}

/** A stop is planned time with one state and reason, or one that a person cut. Time without data is one when it has a reason. */
function markStops(drafts: readonly Draft[]): void {
  for (const [i, draft] of drafts.entries()) {
    const isStop = draft.isPlanned && (isStopState(draft.state) || (draft.state === 'unknown' && draft.reason !== null));
    if (!isStop) continue;
    const before = drafts[i - 1];
    const goesOn = !draft.isCut && before?.stop != null && before.state === draft.state && before.reason === draft.reason;
    draft.stop = goesOn || before === undefined ? 'goesOn' : 'begins';
  }
}
