/**
 * How fresh the screen is, in the words that a person needs:
 * `live` frames arrive · `stale` connected, but silent · `reconnecting` the server cannot be reached ·
 * `offline` this browser has no network · `connecting` nothing has arrived since the page was opened.
 */
export const linkStatuses = ['connecting', 'live', 'stale', 'reconnecting', 'offline'] as const;
export type LinkStatus = (typeof linkStatuses)[number];

export interface LinkFacts {
  readonly browserOnline: boolean;
  readonly connected: boolean;
  /** ms since the last frame, null before the first. */
  readonly silenceMs: number | null;
}

/** Heartbeats come every second: three in a row are missing. */
export const staleAfterMs = 3000;
/** A connection that says nothing for this long is dead, whatever TCP believes. */
export const recycleAfterMs = 10_000;

export function linkStatus(facts: LinkFacts): LinkStatus {
  const silent = facts.silenceMs === null || facts.silenceMs > staleAfterMs;
  if (!facts.browserOnline && silent) return 'offline';
  if (facts.silenceMs === null) return 'connecting';
  if (!facts.connected) return 'reconnecting';
  return silent ? 'stale' : 'live';
}
