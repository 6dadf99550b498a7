import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBConnection } from '@duckdb/node-api';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';
import { beforeCopy } from './testing/before-copy.ts';
import { askDuckdb } from './testing/stock-duckdb.ts';

const day = 86_400_000;
const t0 = Date.UTC(2026, 10, 20);

let folder: string;
let store: DuckdbStore;
let write: (rows: readonly (readonly [machine: string, metric: string, timeMs: number, value: Value])[]) => Promise<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-export-'));
  store = createDuckdbStore({ type: 'duckdb', file: join(folder, "it's.duckdb"), memoryLimitMb: 128, threads: 1 });
  await store.open();
  const table = new SeriesTable();
  write = (rows) => {
    const batch = new SampleBatch(table);
    for (const [i, [machine, metric, timeMs, value]] of rows.entries()) batch.push(table.id(machine, metric), timeMs, i, value, 192, false);
    const state = Uint8Array.of(1);
    return store.write(storeWrite(batch, { nextIndex: 1, decoder: state, repeats: state }));
  };
  await write([
    ['g/e/B', 'State', t0 + 5, 'chạy, "dừng"'],
    ['g/e/A', 'P', t0 + 7, 1.5],
    ['g/e/A', 'P', t0 + day, 2],
    ['g/e/A', 'On', t0 + 1, true],
  ]);
  // One day in a file, late samples of it and another day in the database.
  await store.upkeep.run(t0 + day + 3_600_000);
  await write([
    ['g/e/A', 'P', t0 + 6, 2n ** 63n],
    ['g/e/A', 'F', t0 + 6, '=1+1'],
    ['g/e/A', 'F', t0 + 7, null],
  ]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await store.close();
  rmSync(folder, { recursive: true });
});

const all = { fromMs: t0, toMs: t0 + 2 * day } as const;
const left = (): readonly string[] => readdirSync(join(folder, "it's.cold/export"));

it('writes Parquet that stock DuckDB reads, hot and cold, sorted, chosen by machine, metric and time', async () => {
  const read = (file: string) =>
    askDuckdb(
      `SELECT machine, metric, coalesce(number::VARCHAR, boolean::VARCHAR, text, "integer") FROM read_parquet('${file.replaceAll("'", "''")}')`,
    );
  const made = await store.exportSamples({ ...all, format: 'parquet' });
  expect(await read(made.file)).toEqual([
    ['g/e/A', 'F', '=1+1'],
    ['g/e/A', 'F', null],
    ['g/e/A', 'On', 'true'],
    ['g/e/A', 'P', '9223372036854775808'],
    ['g/e/A', 'P', '1.5'],
    ['g/e/A', 'P', '2.0'],
    ['g/e/B', 'State', 'chạy, "dừng"'],
  ]);
  expect(made).toMatchObject({ rows: 7, bytes: statSync(made.file).size });
  expect(statSync(made.file).mode & 0o777).toBe(0o600);
  const some = await store.exportSamples({ ...all, toMs: t0 + day, machine: 'g/e/A', metric: 'P', format: 'parquet' });
  expect((await read(some.file)).map((row) => row[2])).toEqual(['9223372036854775808', '1.5']);
  await made.dispose();
  await some.dispose();
  expect(left()).toEqual([]);
});

it('writes CSV with times in UTC, in which no text is a formula', async () => {
  const made = await store.exportSamples({ ...all, format: 'csv' });
  expect(readFileSync(made.file, 'utf8').split('\n')).toEqual([
    'time,machine,metric,number,boolean,text,integer,quality',
    "2026-11-20T00:00:00.006Z,g/e/A,F,,,'=1+1,,192",
    '2026-11-20T00:00:00.007Z,g/e/A,F,,,,,192',
    '2026-11-20T00:00:00.001Z,g/e/A,On,,true,,,192',
    '2026-11-20T00:00:00.006Z,g/e/A,P,,,,9223372036854775808,192',
    '2026-11-20T00:00:00.007Z,g/e/A,P,1.5,,,,192',
    '2026-11-21T00:00:00.000Z,g/e/A,P,2.0,,,,192',
    '2026-11-20T00:00:00.005Z,g/e/B,State,,,"chạy, ""dừng""",,192',
    '',
  ]);
});

it('leaves nothing when it is given up or not fetched', async () => {
  await expect(store.exportSamples({ ...all, format: 'csv', signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'store.exportFailed',
  });
  const made = await store.exportSamples({ ...all, format: 'csv' });
  await store.close();
  await store.open();
  expect(existsSync(made.file)).toBe(false);
});

it('has a name for every sample when a series is new in the meantime', async () => {
  beforeCopy(() => write([['g/e/C', 'New', t0 + 3, 1]]));
  const made = await store.exportSamples({ ...all, format: 'csv' });
  expect(readFileSync(made.file, 'utf8')).not.toMatch(/Z,,/);
  expect(made.rows).toBe(7);
});

describe('is given up, and leaves nothing,', () => {
  const noExport = { code: 'store.exportFailed' };

  /** A signal; `then` runs when the export has begun to listen to it, and looks at its folder. */
  function listenedTo(then: (abort: () => void) => void): AbortSignal {
    const controller = new AbortController();
    const { signal } = controller;
    const listen = signal.addEventListener.bind(signal);
    vi.spyOn(signal, 'addEventListener').mockImplementation((...listener: Parameters<AbortSignal['addEventListener']>) => {
      listen(...listener);
      queueMicrotask(() => then(() => controller.abort()));
    });
    return signal;
  }

  it('when the caller leaves before the first statement', async () => {
    const signal = listenedTo((abort) => abort());
    await expect(store.exportSamples({ ...all, format: 'csv', signal })).rejects.toMatchObject(noExport);
    expect(left()).toEqual([]);
  });

  it('when the caller leaves while a statement is prepared', async () => {
    const caller = new AbortController();
    const interrupt = vi.spyOn(DuckDBConnection.prototype, 'interrupt');
    vi.spyOn(DuckDBConnection.prototype, 'run').mockImplementation(async () => {
      caller.abort();
      // DuckDB forgets what it is told before the statement runs.
      await vi.waitFor(() => expect(interrupt.mock.calls.length).toBeGreaterThan(1), 10_000);
      throw new Error('INTERRUPT Error: Interrupted!');
    });
    const interrupted = { ...noExport, message: expect.stringMatching(/Interrupted/) };
    await expect(store.exportSamples({ ...all, format: 'csv', signal: caller.signal })).rejects.toMatchObject(interrupted);
  });

  it('when the store is closed before the first statement', async () => {
    let closing: Promise<void> | undefined;
    const signal = listenedTo(() => {
      closing = store.close();
    });
    await expect(store.exportSamples({ ...all, format: 'csv', signal })).rejects.toMatchObject(noExport);
    await closing;
    expect(left()).toEqual([]);
  });
});
