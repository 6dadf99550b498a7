/** Times as text at the edges; inside the program a time is ms since 1970 UTC. */

/** ISO 8601 in UTC; the bare number when it lies outside of what a calendar can show. */
export function formatTime(timestampMs: number): string {
  return Math.abs(timestampMs) < 8.64e15 ? new Date(timestampMs).toISOString() : String(timestampMs);
}

/** ms since 1970 UTC of an ISO 8601 text; `undefined` when it is none. */
export function parseTime(text: string): number | undefined {
  const timestampMs = Date.parse(text);
  return Number.isNaN(timestampMs) ? undefined : timestampMs;
}
