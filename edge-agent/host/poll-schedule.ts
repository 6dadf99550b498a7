/**
 * Fixed-rate schedule of the devices of one connection: reads do not drift, never overlap, and begin spread out.
 * Slots that passed while another read was running are skipped and counted, not caught up.
 */
export interface PollSlot {
  readonly intervalMs: number;
  /** When the next read is due, monotonic ms. */
  dueMs: number;
}

/** First reads are spread over at most this time, so that a slow device does not wait its whole interval to come online. */
const longestSpreadMs = 1_000;

export function spreadSlots(intervalsMs: readonly number[], nowMs: number): readonly PollSlot[] {
  return intervalsMs.map((intervalMs, i) => ({
    intervalMs,
    dueMs: nowMs + (Math.min(intervalMs, longestSpreadMs) * i) / intervalsMs.length,
  }));
}

/** The slot that is due first; the earlier one in the list when two are due together. */
export function nextSlot<T extends PollSlot>(slots: readonly T[]): T | undefined {
  let first: T | undefined;
  for (const slot of slots) if (first === undefined || slot.dueMs < first.dueMs) first = slot;
  return first;
}

/**
 * Moves the slot to its next due time and returns how many reads were skipped. A read that is late by less than one interval is
 * not skipped: it is due at once.
 */
export function advance(slot: PollSlot, nowMs: number): number {
  slot.dueMs += slot.intervalMs;
  const skipped = Math.max(0, Math.floor((nowMs - slot.dueMs) / slot.intervalMs));
  slot.dueMs += skipped * slot.intervalMs;
  return skipped;
}
