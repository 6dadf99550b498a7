import type { Clock, Random } from '@nhip/core/process/env';
import { type Table, tables } from './address.ts';
import type { Span } from './plan.ts';

/**
 * What a device refused: single spans (their points are bad), and cuts, addresses at which a request must begin because both sides together were
 * refused. Everything is tried again after ten minutes; a cut that proves right is tried half as often each time.
 */

export interface BadSpan {
  readonly table: Table;
  readonly span: Span;
  probeAtMs: number;
}

/** As it is kept on disk. */
export interface LearnedRefusals {
  readonly cuts: Readonly<Partial<Record<Table, readonly number[]>>>;
  readonly bad: readonly { readonly table: Table; readonly start: number; readonly end: number }[];
}

interface Cut {
  retryAtMs: number;
  /** For the time after that. */
  delayMs: number;
}

const firstRetryMs = 600_000;
const longestRetryMs = 86_400_000;

export class Refusals {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #spans: Readonly<Record<Table, readonly Span[]>>;
  readonly #cuts: Readonly<Record<Table, Map<number, Cut>>>;
  /** Cuts on trial: how long to wait when they turn out to be right. */
  readonly #onTrial: Readonly<Record<Table, Map<number, number>>>;
  #bad: readonly BadSpan[] = [];
  #version = 0;

  constructor(spans: Readonly<Record<Table, readonly Span[]>>, clock: Clock, random: Random) {
    this.#spans = spans;
    this.#clock = clock;
    this.#random = random;
    this.#cuts = { coil: new Map(), discrete: new Map(), input: new Map(), holding: new Map() };
    this.#onTrial = { coil: new Map(), discrete: new Map(), input: new Map(), holding: new Map() };
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  get bad(): readonly BadSpan[] {
    return this.#bad;
  }

  cuts(table: Table): ReadonlySet<number> {
    return new Set(this.#cuts[table].keys());
  }

  /** Spans of a table that are read. */
  readable(table: Table): readonly Span[] {
    const bad = new Set(this.#bad.map((each) => each.span));
    return this.#spans[table].filter((span) => !bad.has(span));
  }

  addCut(table: Table, address: number): void {
    if (this.#cuts[table].has(address)) return;
    const delayMs = this.#onTrial[table].get(address) ?? firstRetryMs;
    this.#onTrial[table].delete(address);
    this.#cuts[table].set(address, { retryAtMs: this.#clock.monotonic() + this.#spread(delayMs), delayMs });
    this.#version++;
  }

  /** The points of a span are bad, and no request reads across it. */
  addBad(table: Table, span: Span): void {
    // Spread the probes: a device with many bad points must not get them all at once.
    this.#bad = [...this.#bad, { table, span, probeAtMs: this.#clock.monotonic() + this.#spread(firstRetryMs) }];
    const behind = this.#behind(table, span);
    if (behind !== undefined) this.addCut(table, behind);
    this.#version++;
  }

  /** A bad span that it is time to try; `any`: whichever is next. */
  dueBad(any: boolean): BadSpan | undefined {
    const now = this.#clock.monotonic();
    const due = this.#bad.find((bad) => bad.probeAtMs <= now) ?? (any ? this.#bad[0] : undefined);
    if (due !== undefined) due.probeAtMs = now + firstRetryMs;
    return due;
  }

  /** The device answers for the span again. */
  forgive(bad: BadSpan): void {
    this.#bad = this.#bad.filter((each) => each !== bad);
    const behind = this.#behind(bad.table, bad.span);
    if (behind !== undefined) this.#cuts[bad.table].delete(behind);
    this.#version++;
  }

  /** Takes one cut away whose time has come, to see whether the device takes both sides together by now. */
  tryWithoutCut(): boolean {
    const now = this.#clock.monotonic();
    for (const table of tables) {
      for (const [address, cut] of this.#cuts[table]) {
        if (cut.retryAtMs > now) continue;
        this.#cuts[table].delete(address);
        this.#onTrial[table].set(address, Math.min(cut.delayMs * 2, longestRetryMs));
        this.#version++;
        return true;
      }
    }
    return false;
  }

  learned(): LearnedRefusals {
    const cuts = Object.fromEntries(tables.map((table) => [table, [...this.#cuts[table].keys()]]).filter(([, all]) => all?.length !== 0));
    return { cuts, bad: this.#bad.map(({ table, span }) => ({ table, start: span.start, end: span.end })) };
  }

  /** What an earlier run learned about the same points; tried again within the first ten minutes. */
  restore(learned: LearnedRefusals): void {
    const soonMs = (): number => this.#clock.monotonic() + firstRetryMs * this.#random.next();
    for (const { table, start, end } of learned.bad) {
      const span = this.#spans[table].find((each) => each.start === start && each.end === end);
      if (span !== undefined) this.#bad = [...this.#bad, { table, span, probeAtMs: soonMs() }];
    }
    for (const table of tables) {
      for (const address of learned.cuts[table] ?? []) this.#cuts[table].set(address, { retryAtMs: soonMs(), delayMs: firstRetryMs });
    }
  }

  #behind(table: Table, span: Span): number | undefined {
    return this.#spans[table].find((other) => other.start > span.start)?.start;
  }

  #spread(delayMs: number): number {
    return delayMs * (0.9 + 0.2 * this.#random.next());
  }
}
