import type { ColdFile, ColdKind } from './cold-catalog.ts';
import { stepMs } from './compactor.ts';

/** A part of the asked span and the files that answer it. */
export interface BucketSource {
  readonly kind: ColdKind;
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Which files answer buckets of `everyMs` in [fromMs, toMs): the coarsest roll-up whose steps divide the bucket, and for what is left
 * at the edges of the span the next finer one. So the answer is the one of the raw samples. Where retention took the samples or the
 * minutes, the finest that is left answers for all: a step then counts for the bucket in which it begins.
 *
 * The sources cover what is cold, each moment once; hot samples come on top.
 */
export function planBuckets(files: readonly ColdFile[], fromMs: number, toMs: number, everyMs: number): readonly BucketSource[] {
  const usable = (['hours', 'minutes'] as const).filter((kind) => everyMs % stepMs[kind] === 0);
  const sources = new Map<string, { kind: ColdKind; names: string[]; fromMs: number; toMs: number }>();
  const add = (kind: ColdKind, file: ColdFile, from: number, to: number): void => {
    // Files of one kind that follow each other are one source; edges of their own.
    const known = [...sources.values()].find((each) => each.kind === kind && each.toMs === from);
    if (known === undefined) sources.set(`${kind} ${from}`, { kind, names: [file.name], fromMs: from, toMs: to });
    else {
      known.names.push(file.name);
      known.toMs = to;
    }
  };
  for (const slice of slicesOf(files)) {
    const from = Math.max(fromMs, slice.fromMs);
    const to = Math.min(toMs, slice.toMs);
    if (from < to) cover(slice, usable, from, to, add);
  }
  return [...sources.values()].sort((a, b) => a.fromMs - b.fromMs);
}

interface FilesOfSlice {
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples?: ColdFile;
  readonly minutes?: ColdFile;
  readonly hours?: ColdFile;
}

function slicesOf(files: readonly ColdFile[]): readonly FilesOfSlice[] {
  const slices = new Map<number, FilesOfSlice>();
  for (const file of files) {
    slices.set(file.fromMs, { ...slices.get(file.fromMs), fromMs: file.fromMs, toMs: file.toMs, [file.kind]: file });
  }
  return [...slices.values()].sort((a, b) => a.fromMs - b.fromMs);
}

function cover(
  slice: FilesOfSlice,
  usable: readonly ('hours' | 'minutes')[],
  from: number,
  to: number,
  add: (kind: ColdKind, file: ColdFile, from: number, to: number) => void,
): void {
  if (from >= to) return;
  const [kind, ...finer] = usable;
  if (kind === undefined) {
    // The finest that retention has left.
    const finest = slice.samples ?? slice.minutes ?? slice.hours;
    if (finest !== undefined) add(finest.kind, finest, from, to);
    return;
  }
  const file = slice[kind];
  const step = stepMs[kind];
  const innerFrom = Math.ceil(from / step) * step;
  const innerTo = Math.floor(to / step) * step;
  if (file === undefined || innerFrom >= innerTo) {
    cover(slice, finer, from, to, add);
    return;
  }
  cover(slice, finer, from, innerFrom, add);
  add(kind, file, innerFrom, innerTo);
  cover(slice, finer, innerTo, to, add);
}
