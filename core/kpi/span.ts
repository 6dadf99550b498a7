/** [from, to) in ms UTC. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The same time as disjoint spans, oldest first; spans that touch are one. */
export function union(spans: readonly Span[]): readonly Span[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    if (from >= to) continue;
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** The time of `spans` that is not in `holes`; both disjoint and oldest first, as is the result. */
export function subtract(spans: readonly Span[], holes: readonly Span[]): readonly Span[] {
  const rest: Span[] = [];
  let next = 0;
  for (const span of spans) {
    let from = span.from;
    for (; next < holes.length; next++) {
      const hole = holes[next] as Span;
      if (hole.from >= span.to) break;
      if (hole.from > from) rest.push({ from, to: hole.from });
      from = Math.max(from, hole.to);
      // A hole may go on in the next span.
      if (hole.to > span.to) break;
    }
    if (from < span.to) rest.push({ from, to: span.to });
  }
  return rest;
}

/** What of the spans lies in `window`. */
export function clip(spans: readonly Span[], window: Span): readonly Span[] {
  const inside: Span[] = [];
  for (let i = firstEndingAfter(spans, window.from); i < spans.length; i++) {
    const { from, to } = spans[i] as Span;
    if (from >= window.to) break;
    inside.push({ from: Math.max(from, window.from), to: Math.min(to, window.to) });
  }
  return inside;
}

/** Index of the first of disjoint spans, oldest first, that ends after `atMs`; their number when none does. */
export function firstEndingAfter(spans: readonly Span[], atMs: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle] as Span).to > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function covers(spans: readonly Span[], atMs: number): boolean {
  const span = spans[firstEndingAfter(spans, atMs)];
  return span !== undefined && span.from <= atMs;
}
