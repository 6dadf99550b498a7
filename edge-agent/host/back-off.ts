const firstMs = 500;
const longestMs = 30_000;

/**
 * The delay before attempt `attempt` (0 = the first one after a good connection), ms: doubling from 0.5 s to 30 s, of which
 * `random` in [0, 1) takes up to half away so that many agents do not come back in step.
 */
export function backOffMs(attempt: number, random: number): number {
  return Math.min(firstMs * 2 ** Math.min(attempt, 16), longestMs) * (1 - random / 2);
}
