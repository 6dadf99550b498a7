import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../history-store.ts';
import { storeSuite } from '../testing/store-suite.ts';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore } from './duckdb-store.ts';
import { schemaVersion } from './schema.ts';
import { askDuckdb, changeDuckdb } from './testing/stock-duckdb.ts';

const settings = { type: 'duckdb', memoryLimitMb: 512, threads: 2 } as const;

function inFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-duckdb-'));
  const make = () => createDuckdbStore({ ...settings, file: join(folder, 'history.duckdb') });
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

function checkpoint(nextIndex: number): Checkpoint {
  return { nextIndex, decoder: new Uint8Array(1), repeats: new Uint8Array(1) };
}

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

  it('refuses a file that this program has open already, under whatever name', async () => {
    const { store, dispose, folder } = inFolder();
    const both = [store, createDuckdbStore({ ...settings, file: join(folder, '../', basename(folder), 'history.duckdb') })];
    // Whichever comes first has it.
    const attempts = await Promise.allSettled(both.map((each) => each.open()));
    expect(attempts.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { code: 'store.cannotOpen' } }]);
    symlinkSync(join(folder, 'history.duckdb'), join(folder, 'link.duckdb'));
    const linked = createDuckdbStore({ ...settings, file: join(folder, 'link.duckdb') });
    await expect(linked.open()).rejects.toMatchObject({ code: 'store.cannotOpen' });
    for (const each of both) await each.close();
    await linked.open();
    await linked.close();
    await dispose();
  });

  it('takes over a database without files of closed days, and is open only when all of it could be opened', async () => {
    const { store, dispose, reopen, folder } = inFolder();
    await store.open();
    await store.close();
    const setVersion = async (version: number): Promise<unknown> => {
      const file = join(folder, 'history.duckdb');
      const [row] = await askDuckdb('SELECT version FROM meta', file);
      await changeDuckdb(file, `UPDATE meta SET version = ${version}`);
      return row?.[0];
    };
    await setVersion(99);
    const again = reopen();
    for (let i = 0; i < 2; i++) await expect(again.open()).rejects.toMatchObject({ code: 'store.newerSchema' });
    await setVersion(1);
    await again.open();
    await again.close();
    expect(await setVersion(schemaVersion)).toBe(schemaVersion);
    await dispose();
  });

  it('rolls a failed batch back whole, series too, and goes on', async () => {
    const { store, dispose } = inFolder();
    await store.open();
    const series = new SeriesTable();
    const bad = new SampleBatch(series);
    bad.push(series.id('g/e/d', 'A'), 4, 0, 1, 192, false);
    bad.push(series.id('g/e/d', 'T'), 4, 0, 'text', 192, false);
    // No number of the log is like this: the last statement of the transaction fails.
    await expect(store.write(storeWrite(bad, { ...checkpoint(1), nextIndex: 0.5 }))).rejects.toThrow(/Writing 2 samples/);
    expect(store.series()).toEqual([]);
    const good = new SampleBatch(series);
    good.push(series.id('g/e/d', 'A'), 5, 0, 1, 192, false);
    await store.write(storeWrite(good, checkpoint(2)));
    expect((await store.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 10, limit: 5 })).v).toEqual([1]);
    await dispose();
  });

  it('takes every value that a batch can carry', async () => {
    const { store, dispose } = inFolder();
    await store.open();
    const values: Value[] = ['a\0b', '\0', 'x'.repeat(1_000_000), '\uffff', Number.POSITIVE_INFINITY, -0, 5e-324, 2n ** 64n - 1n];
    const times = [-62_135_596_800_000, 253_402_300_799_999, 8.64e15, -8.64e15];
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    for (const [i, value] of values.entries()) for (const t of times) batch.push(series.id('g/e/d', `V${i}`), t, i, value, 192, false);
    batch.push(series.id('g/e/d', 'surrogate'), 5, 0, 'a\ud800b', 192, false);
    await store.write(storeWrite(batch, checkpoint(1)));
    for (const [i, value] of values.entries()) {
      const { v, t } = await store.range({ machine: 'g/e/d', metric: `V${i}`, fromMs: -8.64e15, toMs: 8.64e15 + 1, limit: 9 });
      expect(v).toEqual([value, value, value, value]);
      expect(t).toEqual([...times].sort((a, b) => a - b));
    }
    expect((await store.range({ machine: 'g/e/d', metric: 'surrogate', fromMs: 0, toMs: 9, limit: 9 })).v).toEqual(['a\ufffdb']);
    await dispose();
  });

  it('counts the delivery of one machine over a day, with a million samples in the table', async () => {
    const { store, dispose } = inFolder();
    await store.open();
    const series = new SeriesTable();
    const batch = new SampleBatch(series, 1_000_000);
    const ids = Array.from({ length: 500 }, (_, i) => series.id(`g/e/d${i % 10}`, `M${i}`));
    for (let i = 0; i < 1_000_000; i++) batch.pushNumber(ids[i % 500] ?? 0, i * 86, i, i, 192, false);
    await store.write(storeWrite(batch, checkpoint(1)));
    const rows = await store.delivery('g/e/d3', 0, 86_400_000);
    expect(rows).toHaveLength(50 * 24);
    expect(rows.reduce((sum, { stored }) => sum + stored, 0)).toBe(100_000);
    await dispose();
  });
});
