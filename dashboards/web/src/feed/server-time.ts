export interface ServerTime {
  /** Learns from a frame that was stamped `serverMs` and arrived at `localMs`. */
  observe(serverMs: number, localMs: number): void;
  /** Server time at the local time `localMs`. */
  at(localMs: number): number;
}

/**
 * Estimates the server's clock. Every observation is late by the transport, so the largest offset is the best one;
 * smaller ones pull slowly, which follows a clock that was set back without jumping with every slow frame.
 */
export function createServerTime(): ServerTime {
  let offsetMs: number | null = null;
  return {
    observe(serverMs, localMs) {
      const seen = serverMs - localMs;
      offsetMs = offsetMs === null || seen >= offsetMs ? seen : offsetMs + (seen - offsetMs) * 0.05;
    },
    at: (localMs) => localMs + (offsetMs ?? 0),
  };
}
