import { type Correction, heldCorrections } from './corrections.ts';
import { type ReasonMap, unexplained } from './reasons.ts';
import { firstEndingAfter, type Span } from './span.ts';
import type { MachineTimeline, TimeBucket, TimePiece } from './time-model.ts';

/** A stop in planned time, whole: it may reach beyond the period that was asked. */
export interface Stop extends Span {
  /** `<machine>@<from>`: stays the same while the beginning does. */
  readonly id: string;
  readonly machine: string;
  readonly state: TimePiece['state'];
  /** As the machine or a person said it. */
  readonly reason: string | null;
  /** One of the standard codes. */
  readonly code: string;
  readonly bucket: TimeBucket;
  readonly isMicroStop: boolean;
  /** Somebody should tell the reason. */
  readonly isUnexplained: boolean;
  /** It touches the beginning of what was read: it may have begun earlier. */
  readonly beginsBefore: boolean;
  /** It touches the end of what was read: it may go on. */
  readonly endsAfter: boolean;
  /** Every entry that touches it, oldest first, those that no longer hold too. */
  readonly corrections: readonly Correction[];
}

/**
 * The stops that overlap the period, oldest first; they never overlap. Machine, timeline and corrections belong together.
 */
export function listStops(
  machine: string,
  timeline: MachineTimeline,
  period: Span,
  reasons: ReasonMap,
  corrections: readonly Correction[] = [],
): readonly Stop[] {
  const stops: Stop[] = [];
  let group: TimePiece[] = [];
  const close = (): void => {
    const first = group[0];
    const last = group.at(-1);
    group = [];
    if (first === undefined || last === undefined || last.to <= period.from) return;
    const span = { from: first.from, to: last.to };
    stops.push({
      id: `${machine}@${span.from}`,
      from: span.from,
      to: span.to,
      machine,
      state: first.state,
      reason: first.reason,
      code: reasonCode(first, reasons),
      bucket: first.bucket,
      isMicroStop: first.microStop !== null,
      isUnexplained: first.isUnexplained,
      beginsBefore: first.from === timeline.from,
      endsAfter: last.to === timeline.to,
      corrections: corrections.filter((correction) => touches(correction, span, corrections)),
    });
  };
  for (const piece of timeline.pieces) {
    if (piece.stop !== 'goesOn') close();
    if (piece.from >= period.to && group.length === 0) break;
    if (piece.stop !== null) group.push(piece);
  }
  close();
  return stops;
}

/** Time and events by standard reason code: sums, like the parts. */
export type DowntimeByReason = Readonly<Record<string, { readonly ms: number; readonly events: number }>>;

/** Stop time of the period by reason, planned and unplanned; a stop counts in the period in which it begins. */
export function downtimeByReason(timeline: MachineTimeline, period: Span, reasons: ReasonMap): DowntimeByReason {
  const sums: Record<string, { ms: number; events: number }> = {};
  const { pieces } = timeline;
  for (let i = firstEndingAfter(pieces, period.from); i < pieces.length; i++) {
    const piece = pieces[i] as TimePiece;
    if (piece.from >= period.to) break;
    if (piece.stop === null) continue;
    sums[reasonCode(piece, reasons)] ??= { ms: 0, events: 0 };
    const sum = sums[reasonCode(piece, reasons)] as { ms: number; events: number };
    sum.ms += Math.min(piece.to, period.to) - Math.max(piece.from, period.from);
    if (piece.stop === 'begins' && piece.from >= period.from) sum.events++;
  }
  return sums;
}

export function sumDowntime(list: Iterable<DowntimeByReason>): DowntimeByReason {
  const sums: Record<string, { ms: number; events: number }> = {};
  for (const downtime of list) {
    for (const [code, { ms, events }] of Object.entries(downtime)) {
      const sum = sums[code];
      sums[code] = { ms: (sum?.ms ?? 0) + ms, events: (sum?.events ?? 0) + events };
    }
  }
  return sums;
}

/** A machine's own code without a meaning is `other`; set-up and maintenance explain themselves. */
export function reasonCode({ state, reason: text }: Pick<TimePiece, 'state' | 'reason'>, reasons: ReasonMap): string {
  const code = text === null ? undefined : reasons.get(text)?.code;
  if (code !== undefined && code !== unexplained) return code;
  if (state === 'setup') return 'setup_changeover';
  if (state === 'maintenance') return 'planned_maintenance';
  return text === null || code === unexplained ? unexplained : 'other';
}

/** Why an entry must not be added; see `correctionProblem`. */
export type CorrectionProblem = 'emptyRange' | 'unknownReason' | 'noStop' | 'notInsideStop' | 'notOneStop' | 'nothingToReplace';

/**
 * What is wrong with a new entry, against the stops as they are; null: nothing. Entries that are already in the list apply even
 * when later data takes their stop away; this keeps people from writing down what does nothing.
 */
export function correctionProblem(
  next: Correction,
  timeline: MachineTimeline,
  reasons: ReasonMap,
  corrections: readonly Correction[] = [],
): CorrectionProblem | null {
  if (next.replaces !== undefined && !heldCorrections(corrections).some(({ id }) => id === next.replaces)) return 'nothingToReplace';
  if (next.kind === 'withdraw') return null;
  if (next.kind === 'split') {
    const stops = listStops(next.machine, timeline, { from: next.splitMs, to: next.splitMs + 1 }, reasons);
    return stops.some(({ from, to }) => from < next.splitMs && next.splitMs < to) ? null : 'notInsideStop';
  }
  if (next.reason !== null && !reasons.has(next.reason)) return 'unknownReason';
  const from = next.fromMs;
  const to = next.toMs ?? from + 1;
  if (from >= to) return 'emptyRange';
  const pieces = timeline.pieces.filter((piece) => piece.from < to && piece.to > from);
  const isStopTime = (piece: TimePiece) => piece.stop !== null || (piece.state === 'unknown' && piece.bucket === 'unknownPlanned');
  if (next.kind === 'reclassify') return pieces.some(isStopTime) ? null : 'noStop';
  return pieces.every((piece) => piece.stop !== null && piece.state !== 'unknown') && pieces.length > 1 ? null : 'notOneStop';
}

function touches(correction: Correction, span: Span, corrections: readonly Correction[], depth = 0): boolean {
  switch (correction.kind) {
    case 'split':
      return span.from <= correction.splitMs && correction.splitMs <= span.to;
    case 'withdraw': {
      const replaced = corrections.find(({ id }) => id === correction.replaces);
      return replaced !== undefined && depth < corrections.length && touches(replaced, span, corrections, depth + 1);
    }
    default:
      return correction.fromMs < span.to && (correction.toMs ?? Number.POSITIVE_INFINITY) > span.from;
  }
}
