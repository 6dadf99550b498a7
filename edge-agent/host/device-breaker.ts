/**
 * The circuit breaker of one device: when to ask a device that does not answer.
 *
 * Closed: asked at its interval. After `failuresBeforeOpen` failed reads in a row it opens: one probe after 5 s, then after twice the
 * time, up to a minute. One good read closes it.
 */
export interface DeviceBreaker {
  readonly isOpen: boolean;
  /** Failed reads in a row. */
  readonly failures: number;
  /** A good read. */
  succeeded(): void;
  /** A failed read; the delay until the next one while open, undefined while closed. */
  failed(): number | undefined;
  /** A new connection: an open breaker may probe at once and starts with short delays again. */
  reconnected(): void;
}

export const failuresBeforeOpen = 3;
const firstProbeMs = 5_000;
const longestProbeMs = 60_000;

/** `random` in [0, 1) spreads the probes of several devices by ±10 %. */
export function createDeviceBreaker(random: () => number): DeviceBreaker {
  let failures = 0;
  let openedAt = failuresBeforeOpen;
  return {
    get isOpen() {
      return failures >= failuresBeforeOpen;
    },
    get failures() {
      return failures;
    },
    succeeded: () => {
      failures = 0;
      openedAt = failuresBeforeOpen;
    },
    failed: () => {
      failures++;
      if (failures < failuresBeforeOpen) return undefined;
      const doublings = Math.min(failures - openedAt, 10);
      return Math.min(firstProbeMs * 2 ** doublings, longestProbeMs) * (0.9 + 0.2 * random());
    },
    reconnected: () => {
      openedAt = Math.max(failuresBeforeOpen, failures + 1);
    },
  };
}
