/**
 * Token buckets, one per caller: each request takes one, `perSecond` come back, `burst` fit in. Against programs that run away; whoever
 * looks at the board stays far below.
 */
export interface RateLimit {
  /** How long the caller must wait, ms; 0: go ahead. `nowMs` never goes back. */
  take(caller: object | string, nowMs: number): number;
  /** Requests refused so far. */
  refused(): number;
}

export interface RateLimitOptions {
  readonly perSecond: number;
  readonly burst: number;
}

/** Invented addresses must not eat the memory. */
const maxCallers = 10_000;

export function createRateLimit({ perSecond, burst }: RateLimitOptions): RateLimit {
  /** Least recently seen first; who is forgotten begins with a full bucket. */
  const buckets = new Map<object | string, { readonly level: number; readonly atMs: number }>();
  let refused = 0;
  return {
    take(caller, nowMs) {
      const before = buckets.get(caller) ?? { level: burst, atMs: nowMs };
      const level = Math.min(burst, before.level + ((nowMs - before.atMs) * perSecond) / 1000);
      const isAllowed = level >= 1;
      buckets.delete(caller);
      buckets.set(caller, { level: isAllowed ? level - 1 : level, atMs: nowMs });
      const [oldest] = buckets.keys();
      if (buckets.size > maxCallers && oldest !== undefined) buckets.delete(oldest);
      if (isAllowed) return 0;
      refused += 1;
      return ((1 - level) * 1000) / perSecond;
    },
    refused: () => refused,
  };
}
