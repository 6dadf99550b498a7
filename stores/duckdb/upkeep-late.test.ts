import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRowWriter } from '../testing/batch-of.ts';
import type { DuckdbSettings } from './config.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';

const day = 86_400_000;
const hour = 3_600_000;
const t0 = Date.UTC(2026, 10, 20);
const machine = 'g/e/d';

let folder: string;
let store: DuckdbStore;
const writeRows = createRowWriter(machine, () => store);
const write = (samples: readonly (readonly [timeMs: number, value: Value])[]): Promise<void> =>
  writeRows(samples.map(([timeMs, value]) => ['A', timeMs, value]));

/** Closes the one that is open, if any. */
async function open(settings: Pick<DuckdbSettings, 'compaction' | 'retention'> = {}): Promise<void> {
  await store?.close();
  store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1, ...settings });
  await store.open();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-late-'));
  await open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const files = (kind = 'samples'): readonly string[] => readdirSync(join(folder, 'history.cold', kind)).sort();
const count = async (): Promise<number> =>
  (await store.range({ machine, metric: 'A', fromMs: 0, toMs: t0 + 99 * day, limit: 10_000 })).v.length;
const someOf = (atMs: number, samples: number): (readonly [number, number])[] => Array.from({ length: samples }, (_, i) => [atMs + i, i]);

describe('late samples of a day that has a file', () => {
  it('wait until there are enough of them', async () => {
    await write(someOf(t0, 300));
    const nowMs = t0 + day + hour;
    await store.upkeep.run(nowMs);
    await write(someOf(t0 + 1000, 2));
    await store.upkeep.run(nowMs);
    expect(files()).toEqual(['2026-11-20.parquet']);
    expect(store.upkeep.status()).toMatchObject({ waitingLateSamples: 2, waitingSlices: 0, lateSlices: 0, problem: null });
    expect(await count()).toBe(302);
    await write(someOf(t0 + 2000, 1));
    await store.upkeep.run(nowMs);
    expect(files()).toEqual(['2026-11-20.v2.parquet']);
    expect(store.upkeep.status()).toMatchObject({ waitingLateSamples: 0, lateSlices: 1 });
    expect(await count()).toBe(303);
  });

  it('wait for some time at most, restarts included, and the next ones wait anew', async () => {
    await write(someOf(t0, 300));
    const nowMs = t0 + day + hour;
    await store.upkeep.run(nowMs);
    for (const version of [2, 3]) {
      await write(someOf(t0 + 1000 * version, 1));
      const seenMs = nowMs + version * 30 * day;
      await store.upkeep.run(seenMs);
      await open();
      await store.upkeep.run(seenMs + 72 * hour - 1);
      expect(store.upkeep.status()).toMatchObject({ waitingLateSamples: 1 });
      await store.upkeep.run(seenMs + 72 * hour);
      expect(files()).toEqual([`2026-11-20.v${version}.parquet`]);
    }
  });

  it('are in the roll-ups before retention takes them', async () => {
    await write([...someOf(t0, 300), ...someOf(t0 + 3 * day, 1)]);
    await store.upkeep.run(t0 + 3 * day + hour);
    await write(someOf(t0 + 1000, 1));
    await open({ retention: { rawDays: 1 } });
    await store.upkeep.run(t0 + 3 * day + hour);
    expect(await count()).toBe(1);
    const range = { machine, metric: 'A', fromMs: t0, toMs: t0 + day, limit: 10, everyMs: day };
    expect((await store.buckets(range)).count).toEqual([301]);
  });
});

describe('a day that cannot be moved', () => {
  it('for its late samples keeps back no other day and no retention', async () => {
    await write([0, 1, 2, 3].flatMap((i) => someOf(t0 + i * day, 2)));
    await store.upkeep.run(t0 + 3 * day + hour);
    await write([...someOf(t0 + 1000, 1), ...someOf(t0 + day + 1000, 1), ...someOf(t0 + 2 * day + 1000, 1)]);
    writeFileSync(join(folder, 'history.cold/samples/2026-11-21.parquet'), 'no Parquet');
    await open({ retention: { rawDays: 3 } });
    await expect(store.upkeep.run(t0 + 4 * day + hour)).rejects.toThrow();
    expect(store.upkeep.status()).toMatchObject({ waitingSlices: 1, problem: expect.stringMatching(/2026-11-21/) });
    expect(files()).toEqual(['2026-11-21.parquet', '2026-11-22.v2.parquet', '2026-11-23.parquet']);
  });

  it('keeps back no other day and no retention, is not deleted, and is told', async () => {
    await write([0, 1, 2, 3, 4].flatMap((i) => someOf(t0 + i * day, 2)));
    await open({ retention: { rawDays: 1 } });
    // What is in the way of this day alone.
    mkdirSync(join(folder, 'history.cold/samples'), { recursive: true });
    mkdirSync(join(folder, 'history.cold/samples/2026-11-21.parquet.partial'));
    writeFileSync(join(folder, 'history.cold/samples/2026-11-21.parquet.partial/x'), '');
    const nowMs = t0 + 5 * day + hour;
    await expect(store.upkeep.run(nowMs)).rejects.toThrow();
    expect(store.upkeep.status()).toMatchObject({ waitingSlices: 1, slices: 4, problem: expect.stringMatching(/2026-11-21/) });
    expect(files('hours')).toEqual(['20', '22', '23', '24'].map((date) => `2026-11-${date}.parquet`));
    expect(await count()).toBe(4);
    rmSync(join(folder, 'history.cold/samples/2026-11-21.parquet.partial'), { recursive: true });
    await store.upkeep.run(nowMs);
    expect(store.upkeep.status()).toMatchObject({ waitingSlices: 0, problem: null });
    expect(files('hours')).toContain('2026-11-21.parquet');
    expect(await count()).toBe(2);
  });

  it('for its late samples keeps its file, though it is old enough to go, until its roll-ups know of them', async () => {
    await write([...someOf(t0, 300), ...someOf(t0 + 3 * day, 1)]);
    const nowMs = t0 + 3 * day + hour;
    await store.upkeep.run(nowMs);
    await write(someOf(t0 + 1000, 1));
    // What is in the way of the new version alone.
    const inTheWay = join(folder, 'history.cold/samples/2026-11-20.v2.parquet.partial');
    mkdirSync(inTheWay);
    writeFileSync(join(inTheWay, 'x'), '');
    await open({ retention: { rawDays: 1 } });
    await expect(store.upkeep.run(nowMs)).rejects.toThrow();
    expect(await count()).toBe(302);
    rmSync(inTheWay, { recursive: true });
    await store.upkeep.run(nowMs);
    expect(await count()).toBe(1);
    const range = { machine, metric: 'A', fromMs: t0, toMs: t0 + day, limit: 10, everyMs: day };
    expect((await store.buckets(range)).count).toEqual([301]);
  });

  it('for lack of room stays in the database; the problem says how much there is and what to do', async () => {
    await write(someOf(t0, 2));
    await open({ compaction: { minFreeMb: 1e9 } });
    await expect(store.upkeep.run(t0 + day + hour)).rejects.toMatchObject({ code: 'store.diskLow' });
    expect(store.upkeep.status().problem).toMatch(/^2026-11-20 stays in the database: .* MB free, .*make room$/);
    expect(await count()).toBe(2);
    await open();
    await store.upkeep.run(t0 + day + hour);
    expect(files()).toEqual(['2026-11-20.parquet']);
  });
});
