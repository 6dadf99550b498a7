import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Checkpoint, StoreWrite } from '../history-store.ts';

/** A write for tests in which every sample must be taken: a refusal rejects. */
export function storeWrite(batch: SampleBatch, checkpoint: Checkpoint, losses: readonly Loss[] = []): StoreWrite {
  return {
    batch,
    losses,
    checkpoint,
    keepRefused: (refused) =>
      Promise.reject(new Error(`the store refused ${refused.length} samples, the first because: ${refused[0]?.reason}`)),
  };
}
