/** When to look at a closed period again for late data: often while it is young, at last once a day. */
export function recheckAfterMs(ageMs: number): number {
  return Math.min(86_400_000, Math.max(900_000, ageMs / 4));
}
