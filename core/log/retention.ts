/** Which segments may go: a pure decision, oldest first, whole segments only, never the last one. */

export interface RetentionLimits {
  /** `refuse`: what a reader still wants never goes; default `evict`. */
  readonly whenFull?: 'evict' | 'refuse' | undefined;
  /** Above this the oldest segments go, read or not. */
  readonly maxBytes: number;
  /** Segments that were closed longer ago go, read or not. */
  readonly maxAgeMs?: number | undefined;
  /** Segments that every reader is done with stay while they are within both tail limits that are given; without any they go. */
  readonly keepTailBytes?: number | undefined;
  readonly keepTailMs?: number | undefined;
}

interface RetainedSegment {
  readonly firstIndex: number;
  readonly endIndex: number;
  readonly size: number;
  readonly header: { readonly createdMs: number };
}

interface Deletion {
  /** How many of the oldest segments go. */
  readonly count: number;
  /** The indexes among them that a reader still wanted. */
  readonly evicted: { readonly fromIndex: number; readonly toIndex: number } | undefined;
}

/** A wall clock before 2020 was never set: what it stamped has no known age, and must not be evicted once the clock is right. */
const earliestTrustedMs = 1_577_836_800_000;

/** `doneBelow`: every reader is done with the records below it. */
export function planDeletion(segments: readonly RetainedSegment[], doneBelow: number, nowMs: number, limits: RetentionLimits): Deletion {
  let bytes = segments.reduce((sum, segment) => sum + segment.size, 0);
  let count = 0;
  let evicted: Deletion['evicted'];
  for (const [i, segment] of segments.slice(0, -1).entries()) {
    const closedMs = segments[i + 1]?.header.createdMs ?? 0;
    const ageMs = closedMs < earliestTrustedMs ? 0 : nowMs - closedMs;
    const overQuota = bytes > limits.maxBytes || (limits.maxAgeMs !== undefined && ageMs > limits.maxAgeMs);
    const done = segment.endIndex <= doneBelow;
    const mayGo = done ? overQuota || !isInTail(bytes, ageMs, limits) : overQuota && limits.whenFull !== 'refuse';
    if (!mayGo) {
      break;
    }
    if (!done) {
      evicted = { fromIndex: evicted?.fromIndex ?? Math.max(segment.firstIndex, doneBelow), toIndex: segment.endIndex };
    }
    bytes -= segment.size;
    count++;
  }
  return { count, evicted };
}

function isInTail(bytesFromHere: number, ageMs: number, { keepTailBytes, keepTailMs }: RetentionLimits): boolean {
  if (keepTailBytes === undefined && keepTailMs === undefined) {
    return false;
  }
  return bytesFromHere <= (keepTailBytes ?? Number.POSITIVE_INFINITY) && ageMs <= (keepTailMs ?? Number.POSITIVE_INFINITY);
}
