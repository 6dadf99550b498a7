/** Keeps answers of the database for a short time: a revocation elsewhere holds after `ttlMs` at the latest. */
export interface ShortCache<Value> {
  get(key: string, nowMs: number, load: () => Promise<Value>): Promise<Value>;
  /** What is revoked here holds at once. */
  clear(): void;
}

export function createShortCache<Value>(ttlMs: number, maxEntries = 1000): ShortCache<Value> {
  const entries = new Map<string, { readonly value: Promise<Value>; readonly untilMs: number }>();
  return {
    get(key, nowMs, load) {
      const found = entries.get(key);
      if (found !== undefined && nowMs < found.untilMs && nowMs >= found.untilMs - ttlMs) return found.value;
      const value = load();
      entries.delete(key);
      entries.set(key, { value, untilMs: nowMs + ttlMs });
      // An error is told to those who wait for it, and asked for again by the next.
      value.catch(() => entries.get(key)?.value === value && entries.delete(key));
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
      return value;
    },
    clear: () => entries.clear(),
  };
}
