import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRowWriter } from '../testing/batch-of.ts';
import type { DuckdbConfig } from './config.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';
import { beforeCopy } from './testing/before-copy.ts';
import { askDuckdb, changeDuckdb } from './testing/stock-duckdb.ts';

const day = 86_400_000;
const hour = 3_600_000;
const t0 = Date.UTC(2026, 10, 20);
const machine = 'g/e/d';

let folder: string;
let store: DuckdbStore;
const write = createRowWriter(machine, () => store);

function create(retention: DuckdbConfig['retention'] = {}, maxFileRows = 1e6): DuckdbStore {
  const file = join(folder, 'history.duckdb');
  return createDuckdbStore({
    type: 'duckdb',
    file,
    memoryLimitMb: 128,
    threads: 1,
    retention,
    compaction: { atUtc: '18:30', maxFileRows },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-upkeep-'));
  store = create();
  await store.open();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await store.close();
  rmSync(folder, { recursive: true });
});

const ask = (sql: string) => askDuckdb(sql.replaceAll('COLD', join(folder, 'history.cold')));
const files = (): readonly string[] =>
  readdirSync(join(folder, 'history.cold'), { recursive: true })
    .map(String)
    .filter((name) => name.includes('.'))
    .sort();
const values = async (metric: string): Promise<readonly Value[]> =>
  (await store.range({ machine, metric, fromMs: 0, toMs: t0 + 99 * day, limit: 1000 })).v;

describe('files of closed days', () => {
  it('can be read without us: names, times, every kind of value', async () => {
    const kinds: Value[] = [1.5, true, false, 'chạy', '', null, 2n ** 64n - 1n];
    await write(kinds.map((value, i) => ['A', t0 + i, value]));
    await store.upkeep.run(t0 + day + hour);
    expect(files()).toEqual(['hours/2026-11-20.parquet', 'minutes/2026-11-20.parquet', 'samples/2026-11-20.parquet']);
    for (const name of files()) expect(statSync(join(folder, 'history.cold', name)).mode & 0o777).toBe(0o600);
    const found = await ask(
      'SELECT machine, metric, time, number, boolean, text, "integer", quality FROM \'COLD/samples/*.parquet\' ORDER BY time',
    );
    expect(found.map((row) => row.slice(3, 7))).toEqual([
      [1.5, null, null, null],
      [null, true, null, null],
      [null, false, null, null],
      [null, null, 'chạy', null],
      [null, null, '', null],
      [null, null, null, null],
      [null, null, null, '18446744073709551615'],
    ]);
    expect(found[0]).toEqual([machine, 'A', '2026-11-20 00:00:00', 1.5, null, null, null, 192]);
    expect(await values('A')).toEqual(kinds);
  });

  it('name every sample, also when one of a new series comes while they are made', async () => {
    await write([['A', t0, 1]]);
    beforeCopy(() => write([['B', t0, 2]]));
    await store.upkeep.run(t0 + day + hour);
    expect(await ask("SELECT DISTINCT machine, metric FROM 'COLD/samples/*.parquet'")).toEqual([[machine, 'A']]);
    await store.upkeep.run(t0 + day + hour);
    expect(await ask("SELECT machine, metric FROM 'COLD/samples/*.parquet' ORDER BY metric")).toEqual([
      [machine, 'A'],
      [machine, 'B'],
    ]);
    expect(await values('B')).toEqual([2]);
  });

  it('has roll-ups: what counters gained in spite of resets, and how long states held, within each step alone', async () => {
    await write([
      ['Count/Good', t0 + 1000, 10],
      ['Count/Good', t0 + 2000, 15],
      ['Count/Good', t0 + 3000, 4],
      ['Count/Good', t0 + 61_000, 6],
      ['Count/Good', t0 + 2 * hour, 9],
      ['Count/Good', t0 + 2 * hour + 1, 12],
      ['State', t0, 'running'],
      ['State', t0 + 20_000, 'idle'],
      ['State', t0 + 50_000, 'running'],
      ['State', t0 + 90_000, 'fault'],
      ['State', t0 + 2 * hour + 600_000, 'idle'],
      ['Power/Active', t0, 3],
      ['Power/Active', t0 + 1, 5],
    ]);
    await store.upkeep.run(t0 + day + hour);
    const hours = await ask(
      "SELECT metric, hour(time), gain, state, seconds, min, max, sum, first, last FROM 'COLD/hours/*.parquet' ORDER BY ALL",
    );
    expect(hours).toEqual([
      ['Count/Good', '0', 11, null, null, 4, 15, 35, 10, 6],
      ['Count/Good', '2', 3, null, null, 9, 12, 21, 9, 12],
      ['Power/Active', '0', null, null, null, 3, 5, 8, null, 5],
      ['State', '0', null, 'fault', 3510, null, null, null, null, null],
      ['State', '0', null, 'idle', 30, null, null, null, null, null],
      ['State', '0', null, 'running', 60, null, null, null, null, null],
      ['State', '2', null, 'idle', 3000, null, null, null, null, null],
    ]);
  });

  it('get a new version for late samples; days that are open, and times of a wrong clock, stay in the database', async () => {
    await write([
      ['A', t0 + 5, 1],
      ['A', t0 + day, 2],
      ['A', -5, 0],
    ]);
    await store.upkeep.run(t0 + day + hour);
    await write([['A', t0 + 4, 9]]);
    expect(await values('A')).toEqual([9, 1, 2]);
    await store.upkeep.run(t0 + day + hour);
    expect(files()).toEqual(['hours/2026-11-20.v2.parquet', 'minutes/2026-11-20.v2.parquet', 'samples/2026-11-20.v2.parquet']);
    expect(await values('A')).toEqual([9, 1, 2]);
    expect(store.upkeep.status()).toMatchObject({
      slices: 2,
      lateSlices: 1,
      movedSamples: 2,
      coldSamples: 2,
      waitingSlices: 0,
      problem: null,
    });
    expect((await store.range({ machine, metric: 'A', fromMs: -day, toMs: 0, limit: 9 })).v).toEqual([0]);
  });

  it('hold each sample once for queries that run while a day is moved', async () => {
    await write(Array.from({ length: 200 }, (_, i) => ['A', t0 + i, i]));
    for (let round = 0; round < 4; round++) {
      await write([['A', t0 + 1000 + round, round]]);
      let isMoving = true;
      const moved = store.upkeep.run(t0 + day + hour).finally(() => {
        isMoving = false;
      });
      const counts = new Set<number>();
      while (isMoving) counts.add((await values('A')).length);
      await moved;
      expect([...counts]).toEqual([201 + round]);
    }
  });

  it('of a large day are not written over when the round that makes them is stopped and goes on later', async () => {
    await store.close();
    store = create({}, 2);
    await store.open();
    await write(Array.from({ length: 6 }, (_, i) => ['A', t0 + i * 4 * hour, i]));
    const stopping = new AbortController();
    const stopped = store.upkeep.run(t0 + day + hour, stopping.signal);
    while (store.upkeep.status().slices === 0) await new Promise(setImmediate);
    stopping.abort();
    await expect(stopped).rejects.toThrow();
    expect(await values('A')).toEqual([0, 1, 2, 3, 4, 5]);
    await store.upkeep.run(t0 + day + hour);
    expect(await values('A')).toEqual([0, 1, 2, 3, 4, 5]);
    const range = { machine, metric: 'A', fromMs: t0, toMs: t0 + day, limit: 100 };
    expect((await store.buckets({ ...range, everyMs: hour })).last).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('are removed at the start when they do not count; a file that the database does not know is left alone', async () => {
    await write([['A', t0, 1]]);
    await store.upkeep.run(t0 + day + hour);
    await store.close();
    const foreign = join(folder, 'history.cold/samples/2020-01-01.parquet');
    writeFileSync(foreign, 'x');
    const unfinished = "('samples/2026-11-21.parquet', 'samples', 0, 1, 1, 'writing', 0, 0, false)";
    await changeDuckdb(join(folder, 'history.duckdb'), `INSERT INTO cold_files VALUES ${unfinished}`);
    writeFileSync(join(folder, 'history.cold/samples/2026-11-21.parquet'), 'half');
    writeFileSync(join(folder, 'history.cold/samples/2026-11-21.parquet.partial'), 'half');
    store = create();
    await store.open();
    expect(readdirSync(join(folder, 'history.cold/samples')).sort()).toEqual(['2020-01-01.parquet', '2026-11-20.parquet']);
    expect(await values('A')).toEqual([1]);
  });

  it('are named when they are missing; other days are moved all the same', async () => {
    await write([['A', t0, 1]]);
    await store.upkeep.run(t0 + day + hour);
    rmSync(join(folder, 'history.cold/samples/2026-11-20.parquet'));
    await write([
      ['A', t0 + 1, 2],
      ['A', t0 + day, 3],
    ]);
    await expect(store.upkeep.run(t0 + 2 * day + hour)).rejects.toMatchObject({ code: 'store.filesMissing' });
    await expect(values('A')).rejects.toMatchObject({ code: 'store.filesMissing' });
    expect(store.upkeep.status()).toMatchObject({ slices: 2, problem: expect.stringContaining('the first is samples/2026-11-20.parquet') });
    expect(files()).toContain('samples/2026-11-21.parquet');
  });

  it('are never written over, not even one of a newer state of this database', async () => {
    await write([['A', t0, 1]]);
    mkdirSync(join(folder, 'history.cold/samples'));
    const foreign = join(folder, 'history.cold/samples/2026-11-20.parquet');
    writeFileSync(foreign, 'x');
    await store.upkeep.run(t0 + day + hour);
    expect(readFileSync(foreign, 'utf8')).toBe('x');
    expect(files()).toContain('samples/2026-11-20.v2.parquet');
    expect(await values('A')).toEqual([1]);
  });

  it('say what is wrong when they cannot be written, lose nothing, and are written when it is put right', async () => {
    await write([['A', t0, 1]]);
    writeFileSync(join(folder, 'history.cold/minutes'), 'a file is in the way');
    await expect(store.upkeep.run(t0 + day + hour)).rejects.toThrow();
    expect(store.upkeep.status()).toMatchObject({
      state: 'idle',
      waitingSlices: 1,
      coldFiles: 0,
      problem: expect.stringMatching(/EEXIST|ENOTDIR/),
    });
    expect(await values('A')).toEqual([1]);
    rmSync(join(folder, 'history.cold/minutes'));
    mkdirSync(join(folder, 'history.cold/minutes'));
    await store.upkeep.run(t0 + day + hour);
    expect(store.upkeep.status()).toMatchObject({ coldFiles: 3, problem: null });
    expect(await values('A')).toEqual([1]);
  });
});

describe('retention', () => {
  it('deletes samples, then minutes, keeps hours and the last values, and counts', async () => {
    await write(Array.from({ length: 10 }, (_, i) => ['A', t0 + i * day + 90_000, i]));
    await store.close();
    store = create({ rawDays: 2, minuteDays: 5 });
    await store.open();
    const nowMs = t0 + 10 * day + hour;
    await store.upkeep.run(nowMs);
    expect(files().filter((name) => name.startsWith('samples'))).toHaveLength(2);
    expect(files().filter((name) => name.startsWith('minutes'))).toHaveLength(5);
    expect(files().filter((name) => name.startsWith('hours'))).toHaveLength(10);
    expect(store.upkeep.status()).toMatchObject({ expiredFiles: 13, expiredSamples: 8 });
    expect(await values('A')).toEqual([8, 9]);
    const range = { machine, metric: 'A', fromMs: t0, toMs: nowMs, limit: 100 };
    expect((await store.buckets({ ...range, everyMs: day })).last).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await store.buckets({ ...range, everyMs: 1000 })).t.map((t) => (t - t0) % day)).toEqual([
      0, 0, 0, 0, 0, 60_000, 60_000, 60_000, 90_000, 90_000,
    ]);
    expect((await store.delivery(machine, t0, nowMs)).map(({ stored }) => stored)).toEqual(Array(10).fill(1));

    // Too late for its roll-ups: it goes with the next round, and is counted.
    await write([['A', t0 + 5, 99]]);
    await store.upkeep.run(nowMs);
    expect(await values('A')).toEqual([8, 9]);
    expect(store.upkeep.status()).toMatchObject({ expiredSamples: 9 });
  });

  it('counts days from the newest sample when the clock is far ahead', async () => {
    await write(Array.from({ length: 4 }, (_, i) => ['A', t0 + i * day, i]));
    await store.close();
    store = create({ rawDays: 2, minuteDays: 2 });
    await store.open();
    for (let round = 0; round < 2; round++) await store.upkeep.run(t0 + 9999 * day);
    expect(await values('A')).toEqual([2, 3]);
  });
});
