/**
 * A set of whole numbers as sorted, disjoint, half-open intervals. Sequence numbers of an outbox arrive nearly in order,
 * in two lanes after an outage, so a handful of intervals holds millions of numbers.
 */
export class IntervalSet {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** Copies `[from, to)` pairs, as `intervals()` gave them. */
  constructor(intervals: readonly (readonly [number, number])[] = []) {
    for (const [from, to] of intervals) this.add(from, to);
  }

  get intervalCount(): number {
    return this.#from.length;
  }

  /** The number above the highest one; 0 for an empty set. */
  get end(): number {
    return this.#to.at(-1) ?? 0;
  }

  intervals(): readonly (readonly [number, number])[] {
    return this.#from.map((from, i) => [from, this.#to[i] as number] as const);
  }

  has(value: number): boolean {
    const i = this.#lastAtOrBelow(value);
    return i >= 0 && value < (this.#to[i] as number);
  }

  /** How many numbers of `[from, to)` are in the set. */
  overlap(from: number, to: number): number {
    let count = 0;
    for (let i = Math.max(0, this.#lastAtOrBelow(from)); i < this.#from.length && (this.#from[i] as number) < to; i++) {
      count += Math.max(0, Math.min(to, this.#to[i] as number) - Math.max(from, this.#from[i] as number));
    }
    return count;
  }

  add(from: number, to: number): void {
    if (to <= from) return;
    const last = this.#from.length - 1;
    if (last >= 0 && from >= (this.#from[last] as number) && from <= (this.#to[last] as number)) {
      // The usual case: numbers come in order.
      if (to > (this.#to[last] as number)) this.#to[last] = to;
      return;
    }
    let first = this.#lastAtOrBelow(from);
    if (first < 0 || (this.#to[first] as number) < from) first++;
    let start = from;
    let end = to;
    let after = first;
    while (after < this.#from.length && (this.#from[after] as number) <= end) {
      start = Math.min(start, this.#from[after] as number);
      end = Math.max(end, this.#to[after] as number);
      after++;
    }
    this.#from.splice(first, after - first, start);
    this.#to.splice(first, after - first, end);
  }

  /** The numbers of `[from, to)` that are not in the set, lowest first, at most `limit` intervals. */
  gaps(from: number, to: number, limit = Number.POSITIVE_INFINITY): readonly (readonly [number, number])[] {
    const gaps: (readonly [number, number])[] = [];
    let at = from;
    for (let i = Math.max(0, this.#lastAtOrBelow(from)); at < to && gaps.length < limit; i++) {
      const start = Math.min(to, this.#from[i] ?? to);
      if (start > at) gaps.push([at, start]);
      if (i >= this.#from.length) break;
      at = Math.max(at, this.#to[i] as number);
    }
    return gaps;
  }

  /** Joins the two intervals with the fewest numbers between them, as if those were in the set, and tells which they were. */
  closeSmallestGap(): readonly [number, number] | undefined {
    let smallest = -1;
    for (let i = 0; i + 1 < this.#from.length; i++) {
      if (smallest < 0 || this.#gapAfter(i) < this.#gapAfter(smallest)) smallest = i;
    }
    if (smallest < 0) return undefined;
    const gap = [this.#to[smallest] as number, this.#from[smallest + 1] as number] as const;
    this.#to.splice(smallest, 1);
    this.#from.splice(smallest + 1, 1);
    return gap;
  }

  #gapAfter(i: number): number {
    return (this.#from[i + 1] as number) - (this.#to[i] as number);
  }

  #lastAtOrBelow(value: number): number {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
