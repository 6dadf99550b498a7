import { PermanentError } from '@nhip/core/process/errors';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createDecoder } from '@nhip/core/telemetry/decoder';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import { generateHistory } from '@nhip/simulators/history';
import type { PlantDefinition } from '@nhip/simulators/plants/definition';
import { createPlant } from '@nhip/simulators/plants/plant';
import { writeSnapshot } from '@nhip/simulators/plants/snapshot-file';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { DataFolder } from './folders.ts';
import { makePrivate } from './folders.ts';

const batchSamples = 100_000;

/**
 * Runs the simulated plant through the last `days` and writes what its edge agents would have reported into the store,
 * then leaves the plant's snapshot for the simulation to go on from. The server must not be running.
 * Resolves with the number of samples.
 */
export async function writeHistory(folder: DataFolder, definition: PlantDefinition, days: number): Promise<number> {
  makePrivate(folder.server);
  makePrivate(folder.simulator);
  const env = createNodeEnv(folder.simulator);
  const nowMs = env.clock.now();
  const store = createDuckdbStore({ type: 'duckdb', file: folder.history, memoryLimitMb: 512, threads: 2 });
  await store.open();
  const series = new SeriesTable();
  const checkpoint = { nextIndex: 0, decoder: createDecoder(series).snapshot(), repeats: new Uint8Array() };
  const batch = new SampleBatch(series, batchSamples);
  let samples = 0;
  const write = async (): Promise<void> => {
    await store.write({
      batch,
      losses: [],
      checkpoint,
      keepRefused: async ([first]) => {
        throw new PermanentError('store.refused', `The store does not take a generated sample: ${first?.reason ?? ''}`);
      },
    });
    samples += batch.length;
    batch.clear();
  };
  try {
    const snapshot = await generateHistory(
      createPlant(definition, 1),
      nowMs - days * 86_400_000,
      nowMs,
      (machine, metric, timestampMs, value) =>
        batch.push(series.id(machine, metric), timestampMs, samples % 1_000_000, value, quality.good, false),
      async () => {
        if (batch.length >= batchSamples) await write();
      },
    );
    await write();
    await writeSnapshot(env.disk, snapshot);
  } finally {
    await store.close();
  }
  return samples;
}
