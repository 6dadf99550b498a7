/** One figure of a bench: what was measured in every run, in the order of the runs. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Memory that goes with it; the notes say of what. */
  readonly memory?: { readonly values: readonly number[]; readonly unit: 'MB' | 'B' };
  readonly target?: Target;
}

export interface Target {
  readonly kind: 'atLeast' | 'atMost';
  readonly value: number;
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** Facts a reader needs to judge the figures: sizes, rates, versions, what was not measured. */
  readonly notes: readonly string[];
}

export interface BenchOptions {
  /** At least 5 for figures that are published. */
  readonly runs: number;
  /** Less work per run, to debug a bench; its figures mean nothing. */
  readonly isShort: boolean;
}

export interface Bench {
  readonly name: string;
  /** What is measured, one line. */
  readonly summary: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

/** Value at or below which `share` (0–1) of the values lie (nearest rank); NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

export function isMet({ kind, value }: Target, measured: number): boolean {
  return kind === 'atLeast' ? measured >= value : measured <= value;
}

/** Element-wise quotient: both were measured in the same run. */
export function ratios(values: readonly number[], base: readonly number[]): readonly number[] {
  return values.map((value, i) => value / (base[i] ?? Number.NaN));
}
