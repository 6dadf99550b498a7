import { bucketOf, millionths, roundingSlack } from './decimal.ts';
import type { ReportContent } from './report.ts';

/** Between which two values (millionths, both included) the true value lies. */
export interface Bounds {
  readonly low: bigint;
  readonly high: bigint;
}

export type BoundsOf = (pointer: string, value: string | number) => Bounds;

/**
 * Rounding by the sharing policy breaks sums: 99 + 99 = 198 becomes 100 + 100 = 200. A flag (`rounded` with its digits, `bucketed` with its
 * width) says by how much a value may be off, and the invariants are checked over these bounds: what was true before rounding passes, what
 * cannot have been true is refused. A value without such a flag is exact.
 */
export function boundsIn(report: Pick<ReportContent, 'quality'>): BoundsOf {
  const coarse = new Map(
    report.quality.flags.filter(({ note }) => note === 'rounded' || note === 'bucketed').map((flag) => [flag.path, flag]),
  );
  return (pointer, value) => {
    const exact = millionths(value);
    const flag = coarse.get(pointer);
    if (flag?.note === 'rounded' && flag.digits !== undefined) {
      const slack = roundingSlack(exact, flag.digits);
      return { low: exact - slack, high: exact + slack };
    }
    const width = flag?.note === 'bucketed' && flag.width !== undefined ? millionths(flag.width) : 0n;
    // Seconds and pieces are whole, amounts are not: the upper end of a bucket belongs to the next one.
    if (width > 0n) return { low: bucketOf(exact, width), high: exact + width - 1n };
    return { low: exact, high: exact };
  };
}

/** Bounds of a sum. */
export function sumOf(parts: readonly Bounds[]): Bounds {
  return parts.reduce((sum, { low, high }) => ({ low: sum.low + low, high: sum.high + high }), { low: 0n, high: 0n });
}

/** Bounds of a difference. */
export function differenceOf(a: Bounds, b: Bounds): Bounds {
  return { low: a.low - b.high, high: a.high - b.low };
}

/** Whether two values can be equal. */
export function canBeEqual(a: Bounds, b: Bounds): boolean {
  return a.low <= b.high && b.low <= a.high;
}

/** Whether a value cannot but exceed another one. */
export function mustExceed(a: Bounds, b: Bounds): boolean {
  return a.low > b.high;
}
