import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRowWriter, type Row } from '../testing/batch-of.ts';
import { rollUpOf } from './cold-sql.ts';
import type { DuckdbConfig } from './config.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';
import { PlainHistory } from './testing/plain-history.ts';
import { askDuckdb, changeDuckdb } from './testing/stock-duckdb.ts';

const day = 86_400_000;
const hour = 3_600_000;
const t0 = Date.UTC(2026, 10, 20);
const machine = 'g/e/d';
const metrics = ['Count/Good', 'Count/Reject', 'Power/Active', 'Temp/Oil', 'State', 'Mode'] as const;

let folder: string;
let store: DuckdbStore;
let plain: PlainHistory;
const writeRows = createRowWriter(machine, () => store);
const cold = (name: string): string => join(folder, 'history.cold', name);

/** Closes the one that is open, if any. */
async function open(retention: DuckdbConfig['retention'] = {}): Promise<void> {
  await store?.close();
  store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1, retention });
  await store.open();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-dense-'));
  plain = new PlainHistory();
  await open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function write(rows: readonly Row[]): Promise<void> {
  for (const [metric, t, v] of rows) plain.samples.push({ machine, metric, t, n: plain.samples.length, v });
  return writeRows(rows);
}

const words = ['running', 'idle', 'fault'];
/** One sample every `stepMs` for an hour, of each metric whose index is even; of the others one every 100 s. */
async function writeHour(fromMs: number, stepMs: number): Promise<void> {
  const value = (metric: string, i: number): Row[2] =>
    metric === 'State' || metric === 'Mode' ? (words[i % 3] ?? null) : metric.startsWith('Count/') ? (i * 3) % 1000 : Math.sin(i);
  await write(
    metrics.flatMap((metric, m) => {
      const step = m % 2 === 0 ? stepMs : 100_000;
      return Array.from({ length: Math.floor(hour / step) }, (_, i) => [metric, fromMs + i * step + m, value(metric, i)] as const);
    }),
  );
}

const round = (values: readonly number[]): readonly number[] => values.map((v) => Math.round(v * 1e6) / 1e6);

/** Every question, at steps that minutes answer, whole and at odd edges, against the plain list. */
async function expectAsPlain(days: number): Promise<void> {
  for (const [fromMs, toMs] of [
    [t0, t0 + days * day],
    [t0 + 61_500, t0 + days * day - 5 * hour - 1234],
  ] as const) {
    for (const everyMs of [60_000, 900_000, 5 * hour]) {
      for (const metric of metrics) {
        const found = await store.buckets({ machine, metric, fromMs, toMs, everyMs, limit: 1e6 });
        const wanted = plain.buckets(machine, metric, fromMs, toMs, everyMs);
        expect({ ...found, avg: round(found.avg) }).toEqual({ ...wanted, avg: round(wanted.avg) });
      }
    }
    expect(await store.delivery(machine, fromMs, toMs)).toEqual(plain.delivery(machine, fromMs, toMs));
  }
}

const minuteSeries = (): ReturnType<typeof askDuckdb> =>
  askDuckdb(`SELECT DISTINCT time::DATE::VARCHAR, metric FROM '${cold('minutes/*.parquet')}' ORDER BY ALL`);

describe('minutes of dense series', () => {
  it('answer beside the samples of the others, whatever is dense on which day, late samples included', async () => {
    await writeHour(t0 + 3 * hour, 5000);
    await writeHour(t0 + day + 3 * hour, 20_000);
    await writeHour(t0 + 2 * day + 3 * hour, 5000);
    await store.upkeep.run(t0 + 3 * day + hour);
    const dense = ['Count/Good', 'Power/Active', 'State'];
    expect(await minuteSeries()).toEqual(['2026-11-20', '2026-11-22'].flatMap((date) => dense.map((metric) => [date, metric])));
    await expectAsPlain(3);
    // Each in an hour that a roll-up has added up: they are counted where they belong, hot and in a new version.
    await write([
      ['Count/Good', t0 + 3 * hour + 7777, 1],
      ['Count/Reject', t0 + 3 * hour + 177_777, 1],
      ['Power/Active', t0 + 3 * hour + 59_999, 99],
      ['State', t0 + 2 * day + 3 * hour + 7777, 'late'],
    ]);
    await expectAsPlain(3);
    await store.upkeep.run(t0 + 30 * day);
    await store.upkeep.run(t0 + 34 * day);
    expect(readdirSync(cold('minutes'))).toContain('2026-11-20.v2.parquet');
    await expectAsPlain(3);
  }, 60_000);

  it('get the others beside them before retention takes the samples', async () => {
    await writeHour(t0 + 3 * hour, 5000);
    await writeHour(t0 + 2 * day + 3 * hour, 5000);
    await open({ rawDays: 1, minuteDays: 30 });
    // What is in the way of the new version.
    mkdirSync(cold('minutes/2026-11-20.v2.parquet.partial'), { recursive: true });
    writeFileSync(cold('minutes/2026-11-20.v2.parquet.partial/x'), '');
    const nowMs = t0 + 3 * day + hour;
    await expect(store.upkeep.run(nowMs)).rejects.toThrow();
    expect(readdirSync(cold('samples'))).toEqual(['2026-11-20.parquet', '2026-11-22.parquet']);
    await expectAsPlain(3);
    rmSync(cold('minutes/2026-11-20.v2.parquet.partial'), { recursive: true });
    await store.upkeep.run(nowMs);
    expect(store.upkeep.status()).toMatchObject({ problem: null, expiredFiles: 1 });
    expect(readdirSync(cold('samples'))).toEqual(['2026-11-22.parquet']);
    expect(await minuteSeries()).toHaveLength(metrics.length + 3);
    for (const metric of metrics) {
      const asked = { machine, metric, fromMs: t0, toMs: t0 + day, everyMs: 120_000, limit: 1000 };
      expect((await store.buckets(asked)).last).toEqual(plain.buckets(machine, metric, t0, t0 + day, 120_000).last);
    }
    expect(store.upkeep.status().expiredSamples).toBe(plain.samples.filter((sample) => sample.t < t0 + day).length);
  }, 60_000);
});

/** A file of minutes with every series, and with columns that are empty today. */
async function makeOld(date: string): Promise<void> {
  const all = rollUpOf(`'${cold(`samples/${date}.parquet`)}'`, 60_000);
  const columns =
    '* REPLACE (coalesce("first", "last") AS "first", coalesce(last_time, time) AS last_time, coalesce(last_tick, -1) AS last_tick)';
  await askDuckdb(
    `COPY (SELECT ${columns} FROM (${all}) ORDER BY series, time, state) TO '${cold(`minutes/${date}.parquet`)}' (FORMAT parquet)`,
  );
}

describe('files of an earlier version', () => {
  it('are read as they are, beside new ones', async () => {
    await writeHour(t0 + 3 * hour, 5000);
    await store.upkeep.run(t0 + day + hour);
    await store.close();
    await makeOld('2026-11-20');
    const database = join(folder, 'history.duckdb');
    await changeDuckdb(database, 'ALTER TABLE cold_files DROP COLUMN sparse');
    await changeDuckdb(database, 'DROP TABLE cold_dense');
    await changeDuckdb(database, 'UPDATE meta SET version = 2');
    await open();
    await writeHour(t0 + day + 3 * hour, 5000);
    await store.upkeep.run(t0 + 2 * day + hour);
    await expectAsPlain(2);
    // Of the old day alone minutes answer for what is not dense.
    rmSync(cold('samples'), { recursive: true });
    const asked = { machine, metric: 'Temp/Oil', fromMs: t0, toMs: t0 + day, everyMs: 120_000, limit: 1e6 };
    expect((await store.buckets(asked)).t).toEqual(plain.buckets(machine, 'Temp/Oil', t0, t0 + day, 120_000).t);
    await expect(store.buckets({ ...asked, toMs: t0 + 2 * day })).rejects.toMatchObject({ code: 'store.filesMissing' });
  }, 60_000);
});
