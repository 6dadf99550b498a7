import type { Random } from '@nhip/core/process/env';

const firstMs = 1000;
const longestMs = 900_000;

/**
 * How long to wait after the `attempt`-th failure (1 = the first): doubles from 1 s to 15 min, of which a random half is taken away so
 * that many factories do not come back at the same moment. A wait that the server asks for (`Retry-After`) is kept, up to a day.
 */
export function retryDelayMs(attempt: number, random: Random, retryAfterMs = 0): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  const jittered = whole / 2 + (whole / 2) * random.next();
  return Math.round(Math.max(firstMs, jittered, Math.min(retryAfterMs, 86_400_000)));
}
