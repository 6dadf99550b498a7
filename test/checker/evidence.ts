/**
 * What the checker compares. It comes from the outside of the product: the sources' own journals, the store's files read by stock
 * tools, the operator's commands. Nothing here or in the checker imports code of the product.
 */

/** One value that a source handed out. The pair (series, value) is unique: each source counts upwards. */
export interface ServedValue {
  /** `<group>/<edge>/<device> <metric>` */
  readonly series: string;
  readonly value: number;
  /** True time at which it was handed out, ms. */
  readonly atMs: number;
}

/** One row of the store. */
export interface StoredValue {
  readonly series: string;
  readonly value: number;
  readonly timestampMs: number;
  readonly quality: number;
  /** Order among rows with the same time stamp, when the store keeps one; modulo `tickModulus`. */
  readonly tick?: number | undefined;
}

/** Ticks start again at 0 here. */
export const tickModulus = 1_000_000;

/** One row of the store's losses. */
export interface LossRow {
  readonly edge: string;
  readonly machine: string;
  readonly metric: string;
  readonly reason: string;
  readonly samples: number;
  readonly stream: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DeadLetterRow {
  readonly reason: string;
  readonly samples: number;
  /** `<log id> <index>` */
  readonly source: string;
}

/** A time (both ends included) in which a source's readings may be missing: a killed edge loses what was not synced yet. */
export interface CrashWindow {
  readonly edge: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** At most this many are missing: window × rate and one poll. No limit when absent. */
  readonly maxLost?: number | undefined;
}

/** Somebody said that everything below `value` is safe, when everything below `safe` really was. */
export interface Watermark {
  /** Whose mark of what, e.g. `edge Released <stream>`. */
  readonly of: string;
  readonly atMs: number;
  readonly value: number;
  readonly safe: number;
}

/** Records below `to` were deleted when those below `safe` were needed no more. */
export interface Deletion {
  readonly of: string;
  readonly atMs: number;
  readonly to: number;
  readonly safe: number;
}

/** A queue, a file, a memory at its highest. */
export interface Measured {
  readonly name: string;
  readonly highest: number;
  readonly limit: number;
}

/** How long something took after the last fault. */
export interface Recovery {
  readonly name: string;
  readonly tookMs: number;
  readonly limitMs: number;
}

export interface Evidence {
  readonly served: readonly ServedValue[];
  readonly stored: readonly StoredValue[];
  readonly losses: readonly LossRow[];
  readonly deadLetters: readonly DeadLetterRow[];
  readonly crashWindows: readonly CrashWindow[];
  /** How far a stored time stamp may be from the time at which the value was handed out. */
  readonly maxClockErrorMs: number;
  /** In the order in which they were seen. */
  readonly watermarks?: readonly Watermark[] | undefined;
  readonly deletions?: readonly Deletion[] | undefined;
  readonly measured?: readonly Measured[] | undefined;
  readonly recoveries?: readonly Recovery[] | undefined;
}

/** The nine checks; each names what it found, at most a few examples. */
export interface Verdict {
  readonly served: number;
  readonly stored: number;
  /** Missing, in no crash window and counted nowhere: silent loss. */
  readonly lost: number;
  readonly doubled: number;
  readonly invented: number;
  readonly inCrashWindow: number;
  readonly countedAsLost: number;
  readonly deadLettered: number;
  /** Empty: everything holds. Each begins with the number of its check, `C1` … `C9`. */
  readonly violations: readonly string[];
}
