import type { Finding } from '../../contract/finding.ts';
import type { ReceiptWarning } from '../../contract/receipt.ts';
import type { Digest, ProductionReport } from '../../contract/report.ts';

/** A report that passed every check that needs no other report. */
export interface Candidate {
  readonly report: ProductionReport;
  /** As it came: canonical JSON. */
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly seriesKey: string;
  readonly warnings: readonly ReceiptWarning[];
}

/** What the store made of it. `receipt` are the bytes of the first receipt, the same for ever. */
export type Outcome =
  | { readonly kind: 'accepted' | 'repeated'; readonly receipt: Buffer }
  /** What is stored speaks against its content. */
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] }
  | { readonly kind: 'conflict'; readonly finding: Finding; readonly held: Held | null };

/** What the store has of a series: the revision that a conflict is about, or the newest. */
export interface Held {
  readonly revision: number;
  readonly digest: string;
}
