import type { Deletion, Measured, Watermark } from '../../checker/evidence.ts';

/** What is watched while the simulation runs. */
export interface Watch {
  watermark(mark: Watermark): void;
  deletion(deletion: Deletion): void;
  measure(name: string, value: number, limit: number): void;
  /** Something happened that tells how much of the product the run reached. */
  saw(what: string): void;
  readonly watermarks: readonly Watermark[];
  readonly deletions: readonly Deletion[];
  measured(): readonly Measured[];
  readonly seen: ReadonlyMap<string, number>;
}

export function createWatch(): Watch {
  const watermarks: Watermark[] = [];
  const deletions: Deletion[] = [];
  const measured = new Map<string, Measured>();
  const seen = new Map<string, number>();
  return {
    watermark: (mark) => void watermarks.push(mark),
    deletion: (deletion) => void deletions.push(deletion),
    measure(name, value, limit) {
      const known = measured.get(name);
      if (known === undefined || value > known.highest) measured.set(name, { name, highest: value, limit });
    },
    saw: (what) => void seen.set(what, (seen.get(what) ?? 0) + 1),
    watermarks,
    deletions,
    measured: () => [...measured.values()],
    seen,
  };
}
