import { IntervalSet } from '@nhip/core/telemetry/interval-set';

/** Which records are done with: live ones run ahead of the backlog, the cursor follows behind both. */
export interface AckTracker {
  /** Everything below is done with. */
  cursor(): number;
  /** Records [from, to) are acknowledged, or gone. */
  acknowledge(from: number, to: number): void;
  isAcknowledged(index: number): boolean;
}

export function createAckTracker(start: number): AckTracker {
  const acknowledged = new IntervalSet();
  let cursor = start;
  return {
    cursor: () => cursor,
    acknowledge(from, to) {
      acknowledged.add(from, to);
      const first = acknowledged.intervals().find(([begin, end]) => begin <= cursor && end > cursor);
      if (first !== undefined) cursor = first[1];
    },
    isAcknowledged: (index) => index < cursor || acknowledged.has(index),
  };
}
