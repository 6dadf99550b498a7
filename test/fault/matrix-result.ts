import type { Outcome } from './run-cell.ts';

/** What `--json` writes and the report reads. */
export interface MatrixResult {
  /** With the full lengths of freezes and outages. */
  readonly isFull: boolean;
  readonly outcomes: readonly Outcome[];
}
