import { IntervalSet } from '@nhip/core/telemetry/interval-set';

/** Which records are acknowledged: live ones run ahead of the backlog, the cursor follows behind both. */
export interface AckTracker {
  /** Everything below is acknowledged. */
  cursor(): number;
  acknowledge(index: number): void;
  isAcknowledged(index: number): boolean;
}

export function createAckTracker(start: number): AckTracker {
  const acknowledged = new IntervalSet();
  let cursor = start;
  return {
    cursor: () => cursor,
    acknowledge(index) {
      acknowledged.add(index, index + 1);
      const first = acknowledged.intervals().find(([from, to]) => from <= cursor && to > cursor);
      if (first !== undefined) cursor = first[1];
    },
    isAcknowledged: (index) => index < cursor || acknowledged.has(index),
  };
}
