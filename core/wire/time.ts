/** Times as text at the edges; inside the program a time is ms since 1970 UTC. */

/** ISO 8601 in UTC; the bare number when it lies outside of what a calendar can show. */
export function formatTime(timestampMs: number): string {
  return Math.abs(timestampMs) < 8.64e15 ? new Date(timestampMs).toISOString() : String(timestampMs);
}

/**
 * ms since 1970 UTC of an ISO 8601 text with date, time and zone, e.g. `2026-11-20T06:00+07:00`; `undefined` when it is none. Without
 * a zone a time would mean another moment on every computer, and `Date.parse` takes `01/11/2026` for the eleventh of January.
 */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined;
  const timestampMs = Date.parse(text);
  return Number.isNaN(timestampMs) ? undefined : timestampMs;
}
