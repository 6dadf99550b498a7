import type { ColdFile } from './cold-catalog.ts';

export const dayMs = 86_400_000;

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
  /** Of the file that is there. */
  readonly coldRows: number;
  /** Has a file already, which gets a new version. */
  readonly isLate: boolean;
}

export interface SliceLimits {
  /** Days from here on are still open. */
  readonly closedBeforeMs: number;
  readonly maxSliceRows: number;
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
      const slice = late.get(file.name) ?? sliceOf(file.fromMs, file.toMs, 0, file.rows);
      late.set(file.name, { ...slice, hotRows: slice.hotRows + rows });
    } else if (!files.some(covers)) {
      const dayFrom = Math.floor(atMs / dayMs) * dayMs;
      if (dayFrom + dayMs > limits.closedBeforeMs) continue;
      days.set(dayFrom, [...(days.get(dayFrom) ?? []), count]);
    }
  }
  const fresh = [...days]
    .sort(([a], [b]) => a - b)
    .flatMap(([dayFrom, hours]) => freeSpans(dayFrom, files).flatMap((span) => splitSpan(span, hours, limits.maxSliceRows)));
  return [...fresh, ...late.values()];
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What no file covers yet of a day: all of it, or what a round left that was stopped among the slices of a large day. */
function freeSpans(dayFrom: number, files: readonly ColdFile[]): readonly Span[] {
  const dayTo = dayFrom + dayMs;
  const spans: Span[] = [];
  let from = dayFrom;
  for (const { fromMs, toMs } of files.filter((file) => file.fromMs < dayTo && file.toMs > dayFrom).sort((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs > from) spans.push({ fromMs: from, toMs: fromMs });
    from = Math.max(from, toMs);
  }
  return from < dayTo ? [...spans, { fromMs: from, toMs: dayTo }] : spans;
}

/** The whole span when its hours hold little enough, else runs of whole hours that cover it; an hour is never divided. */
function splitSpan({ fromMs, toMs }: Span, counts: readonly HourCount[], maxRows: number): readonly Slice[] {
  const hours = counts.filter((count) => count.hourMs >= fromMs && count.hourMs < toMs).sort((a, b) => a.hourMs - b.hourMs);
  if (hours.length === 0) return [];
  const slices: Slice[] = [];
  let from = fromMs;
  let rows = 0;
  for (const count of hours) {
    if (rows > 0 && rows + count.rows > maxRows) {
      slices.push(sliceOf(from, count.hourMs, rows));
      from = count.hourMs;
      rows = 0;
    }
    rows += count.rows;
  }
  return [...slices, sliceOf(from, toMs, rows)];
}

/** `coldRows` of a slice that has a file already. */
function sliceOf(fromMs: number, toMs: number, hotRows: number, coldRows?: number): Slice {
  const isWholeDay = toMs - fromMs === dayMs;
  const name = new Date(fromMs).toISOString().slice(0, isWholeDay ? 10 : 13);
  return { name, fromMs, toMs, isWholeDay, hotRows, coldRows: coldRows ?? 0, isLate: coldRows !== undefined };
}
