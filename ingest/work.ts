import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';

/** One decoded batch and where it leads. */
export interface Work {
  readonly batch: SampleBatch;
  /** Dead letters that are not on disk yet. */
  letters: Uint8Array[];
  letterBytes: number;
  /** Index of the log at which it begins. */
  readonly fromIndex: number;
  nextIndex: number;
  /** Arrival of its oldest message, ms UTC. */
  oldestMs: number;
  repeated: number;
  rejected: number;
}

export function createWork(batch: SampleBatch, fromIndex: number): Work {
  batch.clear();
  return {
    batch,
    letters: [],
    letterBytes: 0,
    fromIndex,
    nextIndex: fromIndex,
    oldestMs: Number.POSITIVE_INFINITY,
    repeated: 0,
    rejected: 0,
  };
}
