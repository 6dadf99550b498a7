import { IntervalSet } from '@nhip/core/telemetry/interval-set';

/** Which records are done with: live ones run ahead of the backlog, the cursor follows behind both. */
export interface AckTracker {
  /** Everything below is done with. */
  cursor(): number;
  /** Records [from, to) are acknowledged, or gone. */
  acknowledge(from: number, to: number): void;
  isAcknowledged(index: number): boolean;
  /** The parts of [from, to) that are not acknowledged. */
  open(from: number, to: number): readonly (readonly [from: number, to: number])[];
}

export function createAckTracker(start: number): AckTracker {
  const acknowledged = new IntervalSet();
  let cursor = start;
  return {
    cursor: () => cursor,
    acknowledge(from, to) {
      acknowledged.add(Math.max(from, cursor), to);
      const first = acknowledged.intervals().find(([begin, end]) => begin <= cursor && end > cursor);
      if (first !== undefined) cursor = first[1];
    },
    open(from, to) {
      const parts: (readonly [number, number])[] = [];
      let next = Math.max(from, cursor);
      for (const [begin, end] of acknowledged.intervals()) {
        if (begin > next && next < to) parts.push([next, Math.min(begin, to)]);
        next = Math.max(next, end);
      }
      if (next < to) parts.push([next, to]);
      return parts;
    },
    isAcknowledged: (index) => index < cursor || acknowledged.has(index),
  };
}
