/** Slows guessing down: of each caller `free` failures within `windowMs`, then nothing until the window is over. */
export interface FailureLimit {
  /** How long the caller must wait, ms; 0: go ahead. */
  waitMs(caller: string, nowMs: number): number;
  failed(caller: string, nowMs: number): void;
}

/** Invented callers must not eat the memory. */
const maxCallers = 10_000;

export function createFailureLimit({ free, windowMs }: { readonly free: number; readonly windowMs: number }): FailureLimit {
  /** Oldest window first. */
  const failures = new Map<string, { readonly sinceMs: number; readonly count: number }>();
  return {
    waitMs(caller, nowMs) {
      const found = failures.get(caller);
      if (found === undefined || found.count < free) return 0;
      return Math.max(0, found.sinceMs + windowMs - nowMs);
    },
    failed(caller, nowMs) {
      const found = failures.get(caller);
      const isOver = found === undefined || nowMs - found.sinceMs >= windowMs;
      if (isOver) failures.delete(caller);
      failures.set(caller, isOver ? { sinceMs: nowMs, count: 1 } : { ...found, count: found.count + 1 });
      const [oldest] = failures.keys();
      if (failures.size > maxCallers && oldest !== undefined) failures.delete(oldest);
    },
  };
}
