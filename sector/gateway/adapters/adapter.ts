import type { Text } from '../../contract/finding.ts';

/**
 * The way to one recipient. Promises of every adapter (testing/adapter-suite.ts):
 * - constructing does no I/O; `close` works at any time, twice, and during a call;
 * - `send` gets frozen bytes and passes on exactly these; the same parcel may come again and must do no harm;
 * - it never decides that something was accepted: it hands over what the other side says, the caller verifies the receipt;
 * - it rejects with RetryableError when it is not known whether the parcel arrived, or when it may work later;
 * - it obeys `signal`, and answers are bounded.
 */
export interface Adapter {
  readonly kind: 'https' | 'file-bundle';
  send(parcel: Parcel, signal: AbortSignal): Promise<Delivery>;
  /** Receipts that come by themselves, later than `send`. Each is given again until it is `taken`. */
  receipts?(signal: AbortSignal): Promise<readonly LateReceipt[]>;
  /** What the other side says it holds of a series, oldest revision first; [] when it does not tell. Nothing of it is verified. */
  held?(seriesKey: string, signal: AbortSignal): Promise<readonly HeldReport[]>;
  /**
   * Machine states as a batch of CloudEvents (JSON). Resolves when each of them is kept there or will never be: with how many were refused.
   * The same events may come again and must do no harm.
   */
  sendEvents?(batch: Uint8Array, signal: AbortSignal): Promise<{ readonly refused: number }>;
  close(): Promise<void>;
}

/** A sealed report. */
export interface Parcel {
  readonly id: string;
  readonly seriesKey: string;
  readonly revision: number;
  /** Of the bytes. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export type Delivery =
  /** `isRepeat`: the other side had these bytes before. */
  | { readonly kind: 'receipt'; readonly bytes: Uint8Array; readonly isRepeat: boolean }
  /** It is on its way; a receipt comes later. */
  | { readonly kind: 'handed-over' }
  /** It will never be taken as it is. */
  | { readonly kind: 'refused'; readonly code: string; readonly pointer: string; readonly message: Text };

/** A report as it is said to have been sent, and its receipt. */
export interface HeldReport {
  readonly bytes: Uint8Array;
  readonly receipt: Uint8Array;
}

export interface LateReceipt {
  readonly bytes: Uint8Array;
  /** It was verified (or is none of ours) and need not be given again. */
  taken(isOurs: boolean): Promise<void>;
}
