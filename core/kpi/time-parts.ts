import { type DraftParts, emptyParts } from './parts.ts';
import { firstEndingAfter, type Span } from './span.ts';
import type { MachineTimeline, TimePiece } from './time-model.ts';

/**
 * The times and events of [from, to): everything in the parts but pieces and energy. What is counted once counts where it begins, so
 * that two periods add up to the whole. Throws a RangeError for a period outside the timeline: time that nobody looked at is not
 * the same as time without data.
 */
export function timeParts(timeline: MachineTimeline, period: Span): DraftParts {
  const parts = emptyParts();
  if (period.from >= period.to) return parts;
  if (period.from < timeline.from || period.to > timeline.to) {
    throw new RangeError(
      `Period ${iso(period)} is not inside the timeline ${iso(timeline)}: read the history over contextRange() of the period`,
    );
  }
  const { pieces } = timeline;
  for (let i = firstEndingAfter(pieces, period.from); i < pieces.length; i++) {
    const piece = pieces[i] as TimePiece;
    if (piece.from >= period.to) break;
    const ms = Math.min(piece.to, period.to) - Math.max(piece.from, period.from);
    parts.statesMs[piece.state] += ms;
    addBucket(parts, piece, ms);
    addEvents(parts, piece, ms, piece.from >= period.from);
  }
  parts.auptMs = parts.aptMs + parts.setupMs;
  parts.pbtMs = parts.auptMs + parts.adetMs + parts.adotMs;
  parts.potMs = parts.pbtMs + parts.plannedStopMs + parts.plannedMaintenanceMs + parts.unknownPlannedMs;
  parts.tbfMs = parts.auptMs;
  return parts;
}

function addBucket(parts: DraftParts, { bucket }: TimePiece, ms: number): void {
  switch (bucket) {
    case 'production':
      parts.aptMs += ms;
      break;
    case 'setup':
      parts.setupMs += ms;
      break;
    case 'correctiveMaintenance':
      parts.correctiveMaintenanceMs += ms;
      parts.adetMs += ms;
      break;
    case 'delay':
      parts.adetMs += ms;
      break;
    case 'down':
      parts.adotMs += ms;
      break;
    case 'plannedMaintenance':
      parts.plannedMaintenanceMs += ms;
      break;
    case 'plannedStop':
      parts.plannedStopMs += ms;
      break;
    case 'unknownPlanned':
      parts.unknownPlannedMs += ms;
      break;
    case 'unknown':
    case 'notScheduled':
      break;
  }
}

function addEvents(parts: DraftParts, piece: TimePiece, ms: number, hasBeginning: boolean): void {
  if (piece.microStop !== null) {
    parts.microStopMs += ms;
    if (hasBeginning && piece.microStop === 'begins') parts.microStops++;
  }
  if (piece.failure !== null) {
    parts.ttrMs += ms;
    if (hasBeginning && piece.failure === 'begins') parts.failureEvents++;
  }
  if (piece.isUnexplained) {
    parts.unexplainedMs += ms;
    if (hasBeginning && piece.stop === 'begins') parts.unexplainedStops++;
  }
}

function iso({ from, to }: Span): string {
  return `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
}
