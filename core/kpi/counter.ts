export interface CounterOptions {
  /** The value at which the counter wraps to 0 (e.g. 65536 for a 16-bit register); absent: a drop is a reset. */
  readonly rolloverAt?: number | undefined;
}

/**
 * Pieces (or kWh) that a cumulative counter gained between two readings, oldest first; never negative.
 *
 * A drop means that the counter was set back and counted up to `next` since: the gain is `next`. What it counted between
 * the last reading and the reset is not known and not guessed. With `rolloverAt`, a drop from the upper half of the range to
 * the lower half is a wrap. The first reading (`previous` null) gains nothing. Readings that are negative or not finite gain nothing.
 */
export function counterIncrease(previous: number | null, next: number, options: CounterOptions = {}): number {
  if (previous === null || !isReading(previous) || !isReading(next)) return 0;
  if (next >= previous) return next - previous;
  const { rolloverAt } = options;
  if (rolloverAt !== undefined && previous < rolloverAt && previous >= rolloverAt / 2 && next < rolloverAt / 2) {
    return rolloverAt - previous + next;
  }
  return next;
}

function isReading(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
