import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { storeWrite } from '../../testing/store-write.ts';
import { createDuckdbStore } from '../duckdb-store.ts';

/**
 * Writes batches into the store of argv until it is killed, and compacts all the time: each batch has ten samples on each of four
 * days, of which three are closed, so that every round but the first merges late ones. Batch i carries the values 40 i … 40 i + 39.
 */
const [, , file = ''] = process.argv;
const store = createDuckdbStore({
  type: 'duckdb',
  file,
  memoryLimitMb: 128,
  threads: 2,
  compaction: { atUtc: '18:30', maxFileRows: 2000 },
});
const t0 = Date.UTC(2026, 10, 20);
const day = 86_400_000;
const table = new SeriesTable();
let next = (await store.open())?.nextIndex ?? 0;
process.stdout.write('open\n');

void (async () => {
  for (;;) {
    await store.upkeep.run(t0 + 3 * day + 3_600_000);
    if (store.upkeep.status().slices > 0) process.stdout.write('round\n');
  }
})();

for (;;) {
  const batch = new SampleBatch(table);
  for (let i = 0; i < 40; i++) {
    const value = next * 40 + i;
    const metric = i % 2 === 0 ? 'Count/Good' : 'Job/Lot';
    batch.push(table.id('g/e/d', metric), t0 + (i % 4) * day + (value % 86_000) * 1000, i, i % 2 === 0 ? value : String(value), 192, false);
  }
  const state = Uint8Array.of(1);
  await store.write(storeWrite(batch, { nextIndex: ++next, decoder: state, repeats: state }));
}
