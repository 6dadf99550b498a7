export type Lane = 'live' | 'backlog';

/** Messages that are sent and not acknowledged: at most `size`, and at most half of them from the backlog, so that live ones need not wait for it. */
export interface Window {
  /** Waits for a place. False when the session ends first. */
  enter(lane: Lane): Promise<boolean>;
  leave(lane: Lane): void;
}

/** `signal` aborts with the session. */
export function createWindow(size: number, signal: AbortSignal): Window {
  const limits = { live: size, backlog: Math.max(1, Math.floor(size / 2)) };
  const inside = { live: 0, backlog: 0 };
  const waiting: Record<Lane, (() => void)[]> = { live: [], backlog: [] };

  function hasPlace(lane: Lane): boolean {
    return inside.live + inside.backlog < size && inside[lane] < limits[lane];
  }

  /** Live ones first. */
  function admit(): void {
    for (const lane of ['live', 'backlog'] as const) {
      while (waiting[lane].length > 0 && hasPlace(lane)) {
        inside[lane]++;
        waiting[lane].shift()?.();
      }
    }
  }

  signal.addEventListener('abort', () => {
    for (const proceed of [...waiting.live.splice(0), ...waiting.backlog.splice(0)]) proceed();
  });
  return {
    async enter(lane) {
      if (signal.aborted) return false;
      if (waiting[lane].length === 0 && hasPlace(lane)) inside[lane]++;
      else await new Promise<void>((resolve) => waiting[lane].push(resolve));
      return !signal.aborted;
    },
    leave(lane) {
      inside[lane]--;
      admit();
    },
  };
}
