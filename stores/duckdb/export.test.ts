import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';
import { askDuckdb } from './testing/stock-duckdb.ts';

const day = 86_400_000;
const t0 = Date.UTC(2026, 10, 20);

let folder: string;
let store: DuckdbStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-export-'));
  store = createDuckdbStore({ type: 'duckdb', file: join(folder, "it's.duckdb"), memoryLimitMb: 128, threads: 1 });
  await store.open();
  const table = new SeriesTable();
  const write = (rows: readonly (readonly [machine: string, metric: string, timeMs: number, value: Value])[]): Promise<void> => {
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
