import { counterIncrease } from '@nhip/core/kpi/counter';

/** What is counted since when: the running shift, or the plant's day where the plant has no shifts. */
export interface CountWindow {
  readonly from: number;
  readonly to: number;
}

/** A cumulative counter, turned into pieces of the running window. */
export interface ShiftCount {
  /** Takes a reading; returns the pieces gained since the one before. */
  read(timeMs: number, value: number, window: CountWindow | null): number;
  /** The window that was running is over. */
  turn(next: CountWindow | null): void;
  /** null before the first reading. */
  readonly pieces: number | null;
}

const minuteMs = 60_000;
/** Minutes of readings from the future that are kept; beyond, the edge's clock is wrong by most of a day. */
const maxAhead = 1000;

/** Pieces belong to the window that holds the time stamp of the reading which showed them. */
export function createShiftCount(): ShiftCount {
  let last: { readonly timeMs: number; readonly value: number } | null = null;
  let inWindow = 0;
  /** Readings with a time stamp at or after the end of the running window: an edge whose clock is ahead. */
  let ahead: { readonly timeMs: number; pieces: number }[] = [];

  function keepAhead(timeMs: number, pieces: number): void {
    const newest = ahead.at(-1);
    if (newest !== undefined && Math.floor(newest.timeMs / minuteMs) === Math.floor(timeMs / minuteMs)) newest.pieces += pieces;
    else if (ahead.length < maxAhead) ahead.push({ timeMs, pieces });
  }

  return {
    read(timeMs, value, window) {
      if (!Number.isFinite(value) || value < 0) return 0;
      // A smaller value with an older time stamp is a repeated or late sample, not a reset.
      if (last !== null && timeMs < last.timeMs && value < last.value) return 0;
      const gained = counterIncrease(last?.value ?? null, value);
      last = { timeMs, value };
      if (window === null || gained === 0) return gained;
      if (timeMs >= window.to) keepAhead(timeMs, gained);
      else if (timeMs >= window.from) inWindow += gained;
      return gained;
    },
    turn(next) {
      inWindow = 0;
      const kept = ahead;
      ahead = [];
      if (next === null) return;
      for (const entry of kept) {
        if (entry.timeMs >= next.to) ahead.push(entry);
        else if (entry.timeMs >= next.from) inWindow += entry.pieces;
      }
    },
    get pieces() {
      return last === null ? null : inWindow;
    },
  };
}
