import type { ColdFile } from './cold-catalog.ts';

export const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Hot samples of one hour that begins at `hourMs`. */
export interface HourCount {
  readonly hourMs: number;
  readonly rows: number;
}

/** What one file holds: a day (UTC), or whole hours of a day that is too large for one. */
export interface Slice {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isWholeDay: boolean;
  readonly hotRows: number;
  /** Has a file already, which gets a new version. */
  readonly isLate: boolean;
}

export interface SliceLimits {
  /** Days from here on are still open. */
  readonly closedBeforeMs: number;
  readonly maxSliceRows: number;
  /** At most so many slices are written again for late data in one round: those with the most of it. */
  readonly maxLateSlices: number;
}

/** Times outside are the mistake of some clock; their samples stay hot, in files named by the calendar they would have no place. */
const earliestMs = 0;
const latestMs = Date.UTC(2200, 0, 1);

/**
 * What there is to do, new days first, oldest first. A span whose samples retention took, but not the roll-ups, is left alone: its
 * late samples stay hot until retention comes to them.
 */
export function planSlices(counts: readonly HourCount[], files: readonly ColdFile[], limits: SliceLimits): readonly Slice[] {
  const samples = files.filter(({ kind }) => kind === 'samples');
  const late = new Map<string, Slice>();
  const days = new Map<number, HourCount[]>();
  for (const count of counts) {
    const { hourMs: atMs, rows } = count;
    if (atMs < earliestMs || atMs >= Math.min(latestMs, limits.closedBeforeMs)) continue;
    const covers = ({ fromMs, toMs }: ColdFile): boolean => atMs >= fromMs && atMs < toMs;
    const file = samples.find(covers);
    if (file !== undefined) {
      const slice = late.get(file.name) ?? sliceOf(file.fromMs, file.toMs, 0, true);
      late.set(file.name, { ...slice, hotRows: slice.hotRows + rows });
    } else if (!files.some(covers)) {
      const dayFrom = Math.floor(atMs / dayMs) * dayMs;
      if (dayFrom + dayMs > limits.closedBeforeMs) continue;
      days.set(dayFrom, [...(days.get(dayFrom) ?? []), count]);
    }
  }
  const fresh = [...days].sort(([a], [b]) => a - b).flatMap(([dayFrom, hours]) => splitDay(dayFrom, hours, limits.maxSliceRows));
  const again = [...late.values()].sort((a, b) => b.hotRows - a.hotRows || a.fromMs - b.fromMs).slice(0, limits.maxLateSlices);
  return [...fresh, ...again];
}

/** The whole day when it is small enough, else runs of whole hours that cover it; an hour is never divided. */
function splitDay(dayFrom: number, hours: readonly HourCount[], maxRows: number): readonly Slice[] {
  const total = hours.reduce((sum, { rows }) => sum + rows, 0);
  if (total <= maxRows) return [sliceOf(dayFrom, dayFrom + dayMs, total, false)];
  const slices: Slice[] = [];
  let from = dayFrom;
  let rows = 0;
  for (const count of [...hours].sort((a, b) => a.hourMs - b.hourMs)) {
    if (rows > 0 && rows + count.rows > maxRows) {
      slices.push(sliceOf(from, count.hourMs, rows, false));
      from = count.hourMs;
      rows = 0;
    }
    rows += count.rows;
  }
  return [...slices, sliceOf(from, dayFrom + dayMs, rows, false)];
}

function sliceOf(fromMs: number, toMs: number, hotRows: number, isLate: boolean): Slice {
  const isWholeDay = toMs - fromMs === dayMs;
  return { name: new Date(fromMs).toISOString().slice(0, isWholeDay ? 10 : 13), fromMs, toMs, isWholeDay, hotRows, isLate };
}

/** Begin of the hour that a time falls into. */
export function hourOf(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs;
}
