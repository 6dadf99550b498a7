import type { Factory, FactoryOptions } from '../harness/factory.ts';

/** One line of the fault matrix: a factory, a fault, and what must hold afterwards. */
export interface Cell {
  /** Unique: letters, digits and -. */
  readonly id: string;
  /** Who or what is hit by which fault, in words. */
  readonly fault: string;
  /** What must hold, in words; that nothing is lost without a trace, doubled or invented holds for all. */
  readonly expectation: string;
  /** Programs and powers without which the cell is skipped by name. */
  readonly needs?: readonly Need[];
  /** Part of every CI run. */
  readonly isCore?: boolean;
  readonly factory?: FactoryOptions;
  /** Reasons under which samples must be counted as lost; without, none may be. */
  readonly counted?: readonly string[];
  /**
   * Losses are held against the edge as a whole, not against each series. When a part of what was given up had been stored all the
   * same (it was on its way when the server died), nobody knows which: the sum is exact, its shares are in proportion.
   */
  readonly isCountedByEdge?: boolean;
  /** Reasons under which samples may be counted, besides. */
  readonly mayCount?: readonly string[];
  /** Waits until every value is accounted for: edges are asked again for what is missing, with patience. Not with crash windows. */
  readonly isComplete?: boolean;
  /** Samples must have become dead letters, for good or until they were replayed, or may have; without, none may. */
  readonly deadLettered?: 'kept' | 'replayed' | 'maybe';
  /** How far time stamps may be off, ms; 6 s when absent. */
  readonly maxClockErrorMs?: number;
  /** Until live values are back after the last fault, ms; 30 s when absent. */
  readonly maxRecoveryMs?: number;
  /** Makes the fault and ends it. Throws when what must hold meanwhile does not. */
  run(factory: Factory, length: Length): Promise<void>;
}

/** How long what takes time lasts: `full` for the published matrix, shorter in CI. */
export interface Length {
  /** A program that is stopped (SIGSTOP), ms. */
  readonly freezeMs: number;
  /** A link or store that is away for long, ms. */
  readonly outageMs: number;
}

export const lengths: Readonly<Record<'full' | 'short', Length>> = {
  full: { freezeMs: 30_000, outageMs: 60_000 },
  // Keep alive is 2 s: after 3 s a broker takes a silent client for gone.
  short: { freezeMs: 5000, outageMs: 6000 },
};

/** `root`, `nhip <command>`, or a program. */
export type Need = 'root' | `nhip ${string}` | `program ${string}`;

/** Cells that belong together. */
export interface Family {
  readonly name: string;
  readonly title: string;
  readonly cells: readonly Cell[];
}
