const freeFailures = 5;
const freeFailuresPerAddress = 30;
const firstDelayMs = 1000;
const maxDelayMs = 15 * 60_000;
const forgetMs = 60 * 60_000;
const maxEntries = 10_000;

/**
 * Slows down guessing: after five failures of one account from one address, and after thirty of one address, each next
 * failure doubles the wait (1 s … 15 min); an hour without one forgets them. Nobody can lock a user out from another address.
 */
export interface Backoff {
  /**
   * Before an attempt: resolves how long it must wait, ms; 0: go ahead. An attempt that may go ahead counts as failed until
   * `succeeded` is called, so that many at once do not slip through.
   */
  attempt(account: string, address: string, nowMs: number): number;
  succeeded(account: string, address: string): void;
}

interface Failures {
  readonly count: number;
  readonly lastMs: number;
  readonly blockedUntilMs: number;
}

export function createBackoff(): Backoff {
  /** Oldest first; bounded, so that invented names cannot eat the memory. */
  const failures = new Map<string, Failures>();

  function fail(key: string, free: number, nowMs: number): void {
    const before = failures.get(key);
    const count = (before === undefined || nowMs - before.lastMs > forgetMs ? 0 : before.count) + 1;
    const delayMs = count < free ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (count - free));
    failures.delete(key);
    failures.set(key, { count, lastMs: nowMs, blockedUntilMs: nowMs + delayMs });
    const [oldest] = failures.keys();
    if (failures.size > maxEntries && oldest !== undefined) failures.delete(oldest);
  }

  return {
    attempt(account, address, nowMs) {
      const left = (key: string) => Math.max(0, (failures.get(key)?.blockedUntilMs ?? 0) - nowMs);
      const waitMs = Math.max(left(pair(account, address)), left(address));
      if (waitMs > 0) return waitMs;
      fail(pair(account, address), freeFailures, nowMs);
      fail(address, freeFailuresPerAddress, nowMs);
      return 0;
    },
    succeeded(account, address) {
      failures.delete(pair(account, address));
      // One right password must not wash the address clean of its wrong ones.
      const before = failures.get(address);
      if (before !== undefined) failures.set(address, { ...before, count: before.count - 1, blockedUntilMs: 0 });
    },
  };
}

function pair(account: string, address: string): string {
  return `${address} ${account.slice(0, 100)}`;
}
