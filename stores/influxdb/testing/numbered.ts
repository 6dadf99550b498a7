import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Checkpoint } from '../../history-store.ts';

export const t0 = Date.UTC(2026, 0, 5, 8);
export const machine = 'g/e/d';

/** Samples numbered [from, to) of metric A, as ingest would decode them, however they are cut into batches. */
export function numbered(from: number, to: number): SampleBatch {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (let n = from; n < to; n++) batch.push(series.id(machine, 'A'), t0 + Math.floor(n / 3), n % 1_000_000, n, 192, false);
  return batch;
}

export function at(nextIndex: number, decoder = Uint8Array.of(1)): Checkpoint {
  return { nextIndex, decoder, repeats: Uint8Array.of(nextIndex % 256, nextIndex >> 8) };
}
