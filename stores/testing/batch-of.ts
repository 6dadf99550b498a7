import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import type { SampleStore } from '../history-store.ts';
import { storeWrite } from './store-write.ts';

export type Row = readonly [metric: string, timeMs: number, value: Value];
export type TickedRow = readonly [metric: string, timeMs: number, tick: number, value: Value];

/** Good samples of one machine, for tests. */
export function tickedBatchOf(machine: string, rows: readonly TickedRow[], series = new SeriesTable()): SampleBatch {
  const batch = new SampleBatch(series);
  for (const [metric, timeMs, tick, value] of rows) batch.push(series.id(machine, metric), timeMs, tick, value, 192, false);
  return batch;
}

/** The same, with ticks that count on from `firstTick`. */
export function batchOf(machine: string, rows: readonly Row[], series = new SeriesTable(), firstTick = 0): SampleBatch {
  const ticked = rows.map(([metric, timeMs, value], i) => [metric, timeMs, firstTick + i, value] as const);
  return tickedBatchOf(machine, ticked, series);
}

/** Writes rows of one machine to the store that is open then; ticks and checkpoints count on. */
export function createRowWriter(machine: string, store: () => SampleStore): (rows: readonly Row[]) => Promise<void> {
  const series = new SeriesTable();
  const state = Uint8Array.of(1);
  let written = 0;
  return async (rows) => {
    const batch = batchOf(machine, rows, series, written);
    written += rows.length;
    await store().write(storeWrite(batch, { nextIndex: written, decoder: state, repeats: state }));
  };
}
