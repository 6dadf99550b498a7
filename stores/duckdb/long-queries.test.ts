import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore, type DuckdbStore } from './duckdb-store.ts';

const day = 86_400_000;
const hour = 3_600_000;
const t0 = Date.UTC(2026, 10, 20);
const machine = 'g/e/d';

let folder: string;
let store: DuckdbStore;
let written = 0;
const table = new SeriesTable();

function create(retention: { rawDays?: number; minuteDays?: number } = {}): DuckdbStore {
  return createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1, retention });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-long-'));
  store = create();
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function write(rows: readonly (readonly [metric: string, timeMs: number, value: Value])[]): Promise<void> {
  const batch = new SampleBatch(table);
  for (const [metric, timeMs, value] of rows) batch.push(table.id(machine, metric), timeMs, written++, value, 192, false);
  await store.write(storeWrite(batch, { nextIndex: written, decoder: Uint8Array.of(1), repeats: Uint8Array.of(1) }));
}

const ask = (fromMs: number, toMs: number, everyMs: number, metric = 'Count/Good') => ({
  ...{ machine, metrics: [metric], fromMs, toMs, everyMs, limit: 1000 },
});
const gains = async (fromMs: number, toMs: number, everyMs: number): Promise<readonly number[]> =>
  (await store.gains(ask(fromMs, toMs, everyMs)))[0]?.gain ?? [];
const states = async (fromMs: number, toMs: number, everyMs: number): Promise<readonly unknown[]> => {
  const [found] = await store.stateTimes(ask(fromMs, toMs, everyMs, 'State'));
  return found?.t.map((t, i) => [t - t0, found.state[i], found.ms[i]]) ?? [];
};
/** Only roll-ups are left to be read. */
const hideSamples = (): void => rmSync(join(folder, 'history.cold/samples'), { recursive: true });

describe('questions over long ranges', () => {
  it('are answered by roll-ups, with what was gained and held from one step to the next', async () => {
    await write([
      ['Count/Good', t0 + 10, 100],
      ['Count/Good', t0 + hour + 10, 130],
      ['Count/Good', t0 + hour + 20, 7],
      ['Count/Good', t0 + 30 * hour, 20],
      ['State', t0 + 600_000, 'running'],
      ['State', t0 + 2 * hour + 600_000, 'fault'],
    ]);
    await store.upkeep.run(t0 + 2 * day + hour);
    hideSamples();
    expect(await gains(t0, t0 + 2 * day, hour)).toEqual([0, 37, 13]);
    expect(await gains(t0 + hour, t0 + 2 * day, day)).toEqual([37, 13]);
    expect(await states(t0, t0 + 4 * hour, 2 * hour)).toEqual([
      [0, 'running', 2 * hour - 600_000],
      [2 * hour, 'fault', 2 * hour - 600_000],
      [2 * hour, 'running', 600_000],
    ]);
  });

  it('count what comes late where it belongs, while it is hot and when it is not', async () => {
    await write([
      ['Count/Good', t0 + 10, 100],
      ['Count/Good', t0 + 30, 160],
      ['Count/Good', t0 + day, 170],
      ['State', t0, 'running'],
      ['State', t0 + 40, 'idle'],
    ]);
    await store.upkeep.run(t0 + day + hour);
    await write([
      ['Count/Good', t0 + 20, 3],
      ['State', t0 + 10, 'fault'],
    ]);
    for (let round = 0; round < 2; round++) {
      expect(await gains(t0, t0 + 2 * day, day)).toEqual([3 + 157, 10]);
      expect(await states(t0, t0 + hour, hour)).toEqual([
        [0, 'fault', 30],
        [0, 'idle', hour - 40],
        [0, 'running', 10],
      ]);
      await store.upkeep.run(t0 + day + hour);
    }
  });

  it('are answered by what retention has left; a late sample of a time without samples is left out', async () => {
    await write(Array.from({ length: 6 * 24 }, (_, i) => ['Count/Good', t0 + i * hour + 90_000, i * 10]));
    await write(Array.from({ length: 6 }, (_, i) => ['State', t0 + i * day, i % 2 === 0 ? 'running' : 'idle']));
    await store.close();
    store = create({ rawDays: 1, minuteDays: 3 });
    await store.open();
    await store.upkeep.run(t0 + 6 * day + hour);
    await write([['Count/Good', t0 + hour + 100_000, 11]]);
    expect(await gains(t0, t0 + 6 * day, day)).toEqual([230, 240, 240, 240, 240, 240]);
    // Ranges that meet add up, wherever they meet.
    for (const at of [t0 + 5 * hour, t0 + 5 * hour + 100_000, t0 + 4 * day + 90_001]) {
      const parts = [...(await gains(t0, at, 1000)), ...(await gains(at, t0 + 6 * day, 1000))];
      expect(parts.reduce((sum, gain) => sum + gain, 0)).toBe(1430);
    }
    expect(await states(t0, t0 + 2 * day, day)).toEqual([
      [0, 'running', day],
      [day, 'idle', day],
    ]);
  });

  it('have an end: more rows than were asked for are an error, not a part of the answer', async () => {
    await write(Array.from({ length: 5 }, (_, i) => ['Count/Good', t0 + i * hour, i]));
    const asked = { ...ask(t0, t0 + day, hour), limit: 4 };
    await expect(store.gains(asked)).rejects.toMatchObject({ code: 'store.tooManySamples' });
    await expect(store.stateTimes({ ...asked, metrics: ['State', 'Count/Good'] })).rejects.toMatchObject({ code: 'store.tooManySamples' });
  });
});
