import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryStore } from '../history-store.ts';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore } from './duckdb-store.ts';
import { askDuckdb } from './testing/stock-duckdb.ts';

let folder: string;
let store: HistoryStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-copy-'));
  store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1 });
  await store.open();
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const series = new SeriesTable();

/** One batch of ten samples; its checkpoint counts the batches. */
function write(no: number): Promise<void> {
  const batch = new SampleBatch(series);
  for (let i = 0; i < 10; i++) batch.push(series.id('g/e/d', 'A'), no * 10 + i, 0, no * 10 + i, 192, false);
  const state = new Uint8Array(1);
  return store.write(storeWrite(batch, { nextIndex: no + 1, decoder: state, repeats: state }));
}

/** The copy as stock DuckDB sees it, without a WAL beside it. */
async function countIn(file: string): Promise<{ readonly samples: number; readonly nextIndex: number }> {
  const [row] = await askDuckdb('SELECT (SELECT count(*) FROM samples), next_index FROM checkpoint', file);
  return { samples: Number(row?.[0]), nextIndex: Number(row?.[1]) };
}

describe('a copy of the running store', () => {
  it('opens in stock DuckDB and holds exactly what its checkpoint says, whatever is written meanwhile', async () => {
    const copies: Promise<{ readonly file: string; readonly nextIndex: number | undefined }>[] = [];
    for (let no = 0; no < 40; no++) {
      const written = write(no);
      if (no % 8 === 0) {
        const file = join(folder, `copy-${no}.duckdb`);
        const copied = store.copyTo?.(file);
        if (copied === undefined) throw new Error('the store has no copyTo');
        copies.push(copied.then((checkpoint) => ({ file, nextIndex: checkpoint?.nextIndex })));
      }
      await written;
    }
    for (const { file, nextIndex } of await Promise.all(copies)) {
      const found = await countIn(file);
      expect(found.nextIndex).toBe(nextIndex);
      expect(found.samples).toBe(found.nextIndex * 10);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect((await store.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 1e6, limit: 1000 })).v).toHaveLength(400);
  });

  it('leaves the store locked against a second program', async () => {
    await write(0);
    await store.copyTo?.(join(folder, 'copy.duckdb'));
    const script = `import { DuckDBInstance } from '@duckdb/node-api';
      await DuckDBInstance.create(process.argv[1]).then(() => process.exit(3), () => process.exit(4));`;
    const second = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script, join(folder, 'history.duckdb')], {
        cwd: import.meta.dirname,
        stdio: 'pipe',
      });
    expect(second).toThrow(expect.objectContaining({ status: 4 }));
  });

  it('does not overwrite, says why, and lets writing go on', async () => {
    await write(0);
    writeFileSync(join(folder, 'there'), 'x');
    await expect(store.copyTo?.(join(folder, 'there'))).rejects.toThrow(/could not be copied .*EEXIST/);
    await expect(store.copyTo?.(join(folder, 'no/such/folder'))).rejects.toMatchObject({ code: 'store.copyFailed' });
    const aborted = AbortSignal.abort();
    await expect(store.copyTo?.(join(folder, 'aborted'), aborted)).rejects.toMatchObject({ code: 'store.copyFailed' });
    await write(1);
    expect((await store.open())?.nextIndex).toBe(2);
  });
});

describe('a copy of a store with closed days', () => {
  it('has their files beside it, as of the same moment, and opens as a store of its own', async () => {
    const day = 86_400_000;
    await write(0);
    await store.upkeep?.run(2 * day);
    mkdirSync(join(folder, 'backup'));
    const file = join(folder, 'backup/history.duckdb');
    await write(1);
    await store.copyTo?.(file);
    await store.upkeep?.run(2 * day);
    const name = 'samples/1970-01-01.parquet';
    expect(statSync(join(folder, 'backup/history.cold', name)).nlink).toBe(1);
    expect(existsSync(join(folder, 'history.cold', name))).toBe(false);
    const copy = createDuckdbStore({ type: 'duckdb', file, memoryLimitMb: 128, threads: 1 });
    expect((await copy.open())?.nextIndex).toBe(2);
    const all = { machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 100, limit: 100 };
    expect((await copy.range(all)).v).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await copy.close();
    expect((await store.range(all)).v).toHaveLength(20);
  });

  it('waits for a day that is being moved, and the next one waits for it', async () => {
    for (let no = 0; no < 20; no++) await write(no);
    const copies: Promise<unknown>[] = [];
    const rounds: Promise<void>[] = [];
    for (let i = 0; i < 4; i++) {
      mkdirSync(join(folder, `b${i}`));
      await Promise.all(rounds);
      rounds.push(store.upkeep?.run(2 * 86_400_000) ?? Promise.resolve());
      copies.push(store.copyTo?.(join(folder, `b${i}/history.duckdb`)) ?? Promise.resolve());
      await write(20 + i);
    }
    await Promise.all([...copies, ...rounds]);
    for (let i = 0; i < 4; i++) {
      const copy = createDuckdbStore({ type: 'duckdb', file: join(folder, `b${i}/history.duckdb`), memoryLimitMb: 128, threads: 1 });
      const nextIndex = (await copy.open())?.nextIndex ?? 0;
      expect(nextIndex).toBeGreaterThanOrEqual(20);
      const { v } = await copy.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 1e6, limit: 1e6 });
      expect(v).toEqual(Array.from({ length: nextIndex * 10 }, (_, value) => value));
      await copy.close();
    }
  });
});
