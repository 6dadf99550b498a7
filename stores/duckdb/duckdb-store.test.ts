import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { describe, expect, it } from 'vitest';
import { storeSuite } from '../testing/store-suite.ts';
import { createDuckdbStore } from './duckdb-store.ts';

function inFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-duckdb-'));
  const make = () => createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 512, threads: 2 });
  const store = make();
  return {
    store,
    reopen: make,
    folder,
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

storeSuite('duckdb', inFolder);

describe('duckdb store', () => {
  it('says in one sentence that another process has the file', async () => {
    const { store, dispose, folder } = inFolder();
    await store.open();
    const { execFileSync } = await import('node:child_process');
    const script = `import { DuckDBInstance } from '@duckdb/node-api'; await DuckDBInstance.create(process.argv[1]).then(() => process.exit(3), () => process.exit(4));`;
    const attempt = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script, join(folder, 'history.duckdb')], {
        cwd: import.meta.dirname,
        stdio: 'pipe',
      });
    expect(attempt).toThrow(expect.objectContaining({ status: 4 }));
    await dispose();
  });

  it('rolls a failed batch back whole, series too, and goes on', async () => {
    const { store, dispose } = inFolder();
    await store.open();
    const series = new SeriesTable();
    const bad = new SampleBatch(series);
    bad.push(series.id('g/e/d', 'A'), Number.NaN, 0, 1, 192, false);
    bad.push(series.id('g/e/d', 'T'), Number.NaN, 0, 'text', 192, false);
    await expect(store.write(bad, { nextIndex: 1, decoder: new Uint8Array(1), repeats: new Uint8Array(1) })).rejects.toThrow(
      /Writing 2 samples/,
    );
    expect(store.series()).toEqual([]);
    const good = new SampleBatch(series);
    good.push(series.id('g/e/d', 'A'), 5, 0, 1, 192, false);
    await store.write(good, { nextIndex: 2, decoder: new Uint8Array(1), repeats: new Uint8Array(1) });
    expect((await store.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 10, limit: 5 })).v).toEqual([1]);
    await dispose();
  });
});
