/**
 * A swinging door for one metric: which samples are needed to draw its curve by straight lines.
 *
 * Promise: for every sample (t, v) that is not reported, the straight line between the reported samples before and after it, in the order
 * in which they are reported, is at t no further than `deviation` from v (but for the rounding of doubles). While times rise, that
 * is the line that a chart draws. The promise holds as soon as the sample after it is reported; what is held is the end of the curve.
 *
 * How: from the last reported sample (the pivot) each sample not reported so far leaves a range of slopes for a line that passes it
 * within the deviation. A new sample may end the line as long as its own slope lies in all of these ranges; it is held, as the possible
 * end. When the next one does not fit, the held one ends the line and becomes the pivot. Since ends are samples themselves and
 * were checked against all samples before them, the error is the deviation, not twice the deviation as with doors
 * that only compare the two door posts.
 *
 * Live view: a board shows the last reported value. A jump (further than the deviation from the sample before it and from where the
 * last two samples led) is reported at once, with its corner before it; a value that runs away slowly is reported when it has been further than the deviation from what
 * was reported last for `maxDelayMs`. So a board is never off by more than the deviation for longer than that.
 */
import type { Reading } from '../driver.ts';

export interface SwingingDoor {
  /** Takes the next sample, a finite number with good quality; returns what is to be reported now, oldest first. `nowMs` is monotonic. */
  take(reading: Reading, nowMs: number): readonly Reading[];
  /** The held sample, when what was reported last is off by more than the deviation for too long. */
  overdue(nowMs: number): readonly Reading[];
  /** Takes the held sample out: it is reported whatever comes. */
  release(): readonly Reading[];
  /** The curve ends: the next sample begins a new one and is reported. Call `release` before. */
  reset(): void;
  /** Begins anew at a sample that was reported by somebody else. */
  startAt(reading: Reading): void;
}

export function createSwingingDoor(deviation: number, maxDelayMs: number): SwingingDoor {
  let pivot: Reading | undefined;
  let held: Reading | undefined;
  /** The sample before the newest one, reported or not. */
  let older: Reading | undefined;
  /** Slopes, per ms, that pass all samples between the pivot and the held one, and the held one, within the deviation. */
  let lowest = Number.NEGATIVE_INFINITY;
  let highest = Number.POSITIVE_INFINITY;
  /** Since when the held one is off by more than the deviation from the pivot, monotonic. */
  let offSinceMs: number | undefined;

  const startAt = (reading: Reading): void => {
    pivot = reading;
    held = undefined;
    lowest = Number.NEGATIVE_INFINITY;
    highest = Number.POSITIVE_INFINITY;
    offSinceMs = undefined;
  };

  const release = (): readonly Reading[] => {
    if (held === undefined) return [];
    const end = held;
    startAt(end);
    return [end];
  };

  const hold = (reading: Reading, from: Reading, nowMs: number): void => {
    const rise = difference(reading, from);
    const duration = reading.timestampMs - from.timestampMs;
    lowest = Math.max(lowest, (rise - deviation) / duration);
    highest = Math.min(highest, (rise + deviation) / duration);
    held = reading;
    if (Math.abs(rise) > deviation) offSinceMs ??= nowMs;
    else offSinceMs = undefined;
  };

  const fits = (reading: Reading, from: Reading): boolean => {
    const slope = difference(reading, from) / (reading.timestampMs - from.timestampMs);
    return Number.isFinite(slope) && slope >= lowest && slope <= highest;
  };

  const isJump = (reading: Reading, before: Reading): boolean => {
    const rise = difference(reading, before);
    if (Math.abs(rise) <= deviation) return false;
    if (older === undefined || !(older.timestampMs < before.timestampMs)) return true;
    const trend = difference(before, older) / (before.timestampMs - older.timestampMs);
    return !(Math.abs(rise - trend * (reading.timestampMs - before.timestampMs)) <= deviation);
  };

  return {
    startAt,
    release,
    reset: () => {
      pivot = undefined;
      held = undefined;
      older = undefined;
      offSinceMs = undefined;
    },
    overdue: (nowMs) => (offSinceMs !== undefined && nowMs - offSinceMs >= maxDelayMs ? release() : []),
    take: (reading, nowMs) => {
      if (pivot === undefined) {
        startAt(reading);
        return [reading];
      }
      const before = held ?? pivot;
      const jumps = isJump(reading, before);
      older = before;
      // Between two samples of one time, or back in time, or further apart than a double can tell, there is no line.
      if (!(reading.timestampMs > before.timestampMs) || !Number.isFinite(difference(reading, pivot))) {
        const out = [...release(), reading];
        startAt(reading);
        return out;
      }
      const wasAlone = held === undefined;
      const out = fits(reading, pivot) ? [] : release();
      if (jumps && (wasAlone || out.length > 0)) {
        startAt(reading);
        return [...out, reading];
      }
      hold(reading, pivot, nowMs);
      return offSinceMs !== undefined && nowMs - offSinceMs >= maxDelayMs ? [...out, ...release()] : out;
    },
  };
}

/** Exact between 64-bit integers: as numbers, neighbours above 2^53 look equal. */
function difference({ value: a }: Reading, { value: b }: Reading): number {
  return typeof a === 'bigint' && typeof b === 'bigint' ? Number(a - b) : Number(a) - Number(b);
}
