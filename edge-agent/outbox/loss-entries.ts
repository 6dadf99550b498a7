import type { LossReason } from '@nhip/core/wire/loss';
import type { LossTally, TallyLimits } from './loss-tally.ts';

/** Numbers [seqFrom, seqTo) of a stream that were lost for one reason; none when they are equal. */
export interface LossEntry {
  readonly reason: LossReason;
  /** 32 hex digits. */
  readonly stream: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  readonly tally: LossTally;
}

/** Spans of time without numbers that are kept apart, per reason; beyond that the oldest are told as one. */
const maxSpans = 16;

/**
 * Losses that are not reported yet, oldest first. What can be told as one is one: numbers of the same reason that follow each
 * other, as long as a report can hold their rows. So hours of a full disk are a few entries.
 */
export class LossEntries {
  private entries: LossEntry[] = [];
  private readonly limits: TallyLimits;

  constructor(limits: TallyLimits) {
    this.limits = limits;
  }

  get list(): readonly LossEntry[] {
    return this.entries;
  }

  add(entry: LossEntry): void {
    const last = this.entries.at(-1);
    if (last !== undefined && this.canJoin(last, entry)) {
      this.entries[this.entries.length - 1] = joined(last, entry);
    } else if (!this.joinEarlier(entry)) {
      this.entries.push(entry);
    }
  }

  /** Takes the first entry out. */
  shift(): LossEntry | undefined {
    return this.entries.shift();
  }

  /**
   * Makes the entries smaller by dropping detail of the oldest half that still has some and joining what can then be told as one;
   * when no detail is left, by joining numbers that follow each other whatever their reasons. False when they cannot become smaller.
   */
  coarsen(): boolean {
    const detailed = this.entries.filter(({ tally }) => tally.hasRows);
    for (const { tally } of detailed.slice(0, Math.ceil(detailed.length / 2))) tally.coarsen();
    const before = this.entries.length;
    this.join((first, next) => this.canJoin(first, next));
    if (detailed.length === 0 && this.entries.length === before) this.join((first, next) => isNext(first, next));
    return detailed.length > 0 || this.entries.length < before;
  }

  private canJoin(first: LossEntry, next: LossEntry): boolean {
    return first.reason === next.reason && isNext(first, next) && first.tally.fitsWith(next.tally, this.limits);
  }

  /** The losses of two reasons take turns when a quota and a full disk do; what has no numbers stays apart. */
  private joinEarlier(entry: LossEntry): boolean {
    if (entry.seqFrom === entry.seqTo) {
      const spans = this.entries.filter(({ reason, seqFrom, seqTo }) => reason === entry.reason && seqFrom === seqTo);
      const [oldest, next] = spans;
      if (oldest !== undefined && next !== undefined && spans.length >= maxSpans) {
        next.tally.merge(oldest.tally);
        this.entries.splice(this.entries.indexOf(oldest), 1);
      }
      return false;
    }
    const at = this.entries.findLastIndex((earlier) => this.canJoin(earlier, entry));
    const earlier = this.entries[at];
    if (earlier === undefined) return false;
    this.entries[at] = joined(earlier, entry);
    return true;
  }

  private join(canJoin: (first: LossEntry, next: LossEntry) => boolean): void {
    const kept: LossEntry[] = [];
    const streams = [...new Set(this.entries.map(({ stream }) => stream))];
    const inOrder = streams.flatMap((stream) =>
      this.entries.filter((entry) => entry.stream === stream).sort((a, b) => a.seqFrom - b.seqFrom),
    );
    for (const entry of inOrder) {
      const last = kept.at(-1);
      if (last !== undefined && canJoin(last, entry)) kept[kept.length - 1] = joined(last, entry);
      else kept.push(entry);
    }
    this.entries = kept;
  }
}

function isNext(first: LossEntry, next: LossEntry): boolean {
  return first.stream === next.stream && first.seqTo === next.seqFrom && first.seqFrom < first.seqTo && next.seqFrom < next.seqTo;
}

/** Under the reason of the larger part. `first` is used up. */
function joined(first: LossEntry, next: LossEntry): LossEntry {
  const reason = next.tally.samples > first.tally.samples ? next.reason : first.reason;
  first.tally.merge(next.tally);
  return { reason, stream: first.stream, seqFrom: first.seqFrom, seqTo: next.seqTo, tally: first.tally };
}
