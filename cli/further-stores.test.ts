import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogSource } from '@nhip/core/log/log-bus';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createDecoder } from '@nhip/core/telemetry/decoder';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { openBook } from '@nhip/ingest/book';
import { ingestConfig } from '@nhip/ingest/config';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { storeWrite } from '@nhip/stores/testing/store-write';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFurtherStores } from './further-stores.ts';

const startMs = Date.UTC(2026, 10, 22);
const clock = createSimClock(startMs);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-further-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A log in which nothing comes. */
const emptyLog: LogSource = {
  id: 'log',
  stats: () => ({ firstIndex: 0, nextIndex: 0, bytes: 0 }),
  cursor: () => 0,
  commit: async () => undefined,
  read: async (_from, { waitMs, signal }) => {
    await clock.sleep(waitMs ?? 0, signal).catch(() => undefined);
    return [];
  },
};

describe('a further DuckDB store', () => {
  it('has an upkeep of its own', async () => {
    const config = duckdbConfig.parse({ type: 'duckdb', file: join(folder, 'further.duckdb'), memoryLimitMb: 128 });
    const store = createDuckdbStore(config);
    await store.open();
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    batch.push(series.id('g/e/d', 'A'), startMs - 2 * 86_400_000, 0, 1, 192, false);
    await store.write(
      storeWrite(batch, {
        nextIndex: 0,
        decoder: createDecoder(series, ingestConfig.parse({})).snapshot(),
        repeats: openBook().snapshot('log'),
      }),
    );
    await store.close();

    const part = createFurtherStores([{ ...config, name: 'copy' }], {
      env: { ...createNodeEnv(folder), clock },
      ingestConfig: ingestConfig.parse({}),
      log: silentLog(),
      logSource: () => emptyLog,
      beginAt: () => undefined,
      sendNodeCommand: () => undefined,
    });
    await part.start();
    await vi.waitFor(
      async () => {
        await clock.advance(5000);
        expect(existsSync(join(folder, 'further.cold/samples/2026-11-20.parquet'))).toBe(true);
      },
      { timeout: 15_000, interval: 20 },
    );
    await part.stop();
    expect(part.stats()[0]?.problem).toBeNull();
  });
});
