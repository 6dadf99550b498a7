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

  /** Joins the two lowest intervals, as if the numbers between them were in the set. */
  closeFirstGap(): void {
    if (this.#from.length < 2) return;
    this.#to.splice(0, 1);
    this.#from.splice(1, 1);
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
