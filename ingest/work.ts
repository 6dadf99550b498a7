import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import { LossList } from './loss-rows.ts';

/** One decoded batch and where it leads. */
export interface Work {
  readonly batch: SampleBatch;
  readonly losses: LossList;
  /** Dead letters that are not on disk yet. */
  letters: Uint8Array[];
  letterBytes: number;
  /** The log records that samples came from: index, the row at which its samples begin, whether they are of a dead letter that came back. */
  readonly sources: { readonly index: number; readonly fromRow: number; readonly isReplay: boolean }[];
  /** Traces that end when it is stored; none without tracing. */
  readonly followed: { readonly trace: string; readonly startMs: number }[];
  /** Rows that the store refused and that are dead letters on disk already. */
  readonly keptRows: Set<number>;
  /** Samples that the store refused at the last attempt. */
  refused: number;
  /** Those of them that came back out of dead letters: they are counted as dead-lettered already. */
  refusedAgain: number;
  /** Index of the log at which it begins. */
  readonly fromIndex: number;
  nextIndex: number;
  /** Arrival of its oldest message, ms UTC. */
  oldestMs: number;
  repeated: number;
  rejected: number;
  /** Samples of dead letters that came back. */
  replayed: number;
}

export function createWork(batch: SampleBatch, fromIndex: number): Work {
  batch.clear();
  return {
    batch,
    losses: new LossList(),
    letters: [],
    letterBytes: 0,
    sources: [],
    followed: [],
    keptRows: new Set(),
    refused: 0,
    refusedAgain: 0,
    fromIndex,
    nextIndex: fromIndex,
    oldestMs: Number.POSITIVE_INFINITY,
    repeated: 0,
    rejected: 0,
    replayed: 0,
  };
}
