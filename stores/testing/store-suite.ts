import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, describe, expect, it } from 'vitest';
import type { Checkpoint, HistoryStore } from '../history-store.ts';
import { type TickedRow, tickedBatchOf } from './batch-of.ts';
import { lossSuite } from './loss-suite.ts';
import { storeWrite } from './store-write.ts';
import { sampleStoreSuite } from './write-suite.ts';

const t0 = Date.UTC(2026, 0, 5, 8);
const machine = 'hoalac/edge-1/ÉP-01';

const batchOf = (rows: readonly TickedRow[], series?: SeriesTable): SampleBatch => tickedBatchOf(machine, rows, series);

function checkpoint(nextIndex: number): Checkpoint {
  return { nextIndex, decoder: Uint8Array.of(1, nextIndex), repeats: Uint8Array.of(2, nextIndex) };
}

/** What every history store promises. `create` opens nothing; stores of one `place` share their data. */
export function storeSuite(
  name: string,
  create: () => { store: HistoryStore; reopen: () => HistoryStore; dispose: () => Promise<void> },
): void {
  sampleStoreSuite(name, {}, () => {
    const made = create();
    const samplesOf = async (of: string, metric: string) => {
      const { t, v } = await made.store.range({ machine: of, metric, fromMs: 0, toMs: t0 + 1e9, limit: 100_000 });
      return t.map((at, i) => ({ t: at, v: v[i] ?? null }));
    };
    return { ...made, samplesOf };
  });

  describe(`${name}: history store`, () => {
    let dispose: (() => Promise<void>) | undefined;
    afterEach(async () => {
      await dispose?.();
      dispose = undefined;
    });

    async function opened(): Promise<{ store: HistoryStore; reopen: () => Promise<HistoryStore> }> {
      const made = create();
      dispose = made.dispose;
      await made.store.open();
      return {
        store: made.store,
        reopen: async () => {
          await made.store.close();
          return made.reopen();
        },
      };
    }

    it('starts without a checkpoint and gives the last one back after reopening', async () => {
      const { store, reopen } = await opened();
      await store.write(storeWrite(batchOf([['A', t0, 0, 1]]), checkpoint(7)));
      await store.write(storeWrite(batchOf([['A', t0 + 1, 1, 2]]), checkpoint(8)));
      const again = await reopen();
      expect(await again.open()).toEqual(checkpoint(8));
      expect((await again.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 10, limit: 10 })).v).toEqual([1, 2]);
      await again.close();
    });

    it('gives back every kind of value', async () => {
      const { store } = await opened();
      const values: Value[] = [1.5, -0.25, 0, 2 ** 53, true, false, 'chạy', '', null, 18446744073709551615n, -(2n ** 62n)];
      await store.write(storeWrite(batchOf(values.map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      const { v, t, q } = await store.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 100, limit: 100 });
      expect(v).toEqual(values);
      expect(t).toEqual(values.map((_, i) => t0 + i));
      expect(new Set(q)).toEqual(new Set([192]));
    });

    it('keeps samples of one millisecond apart and in order', async () => {
      const { store } = await opened();
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0, 2, 'b'],
            ['A', t0, 1, 1],
            ['A', t0, 3, 3],
          ]),
          checkpoint(1),
        ),
      );
      expect((await store.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 1, limit: 10 })).v).toEqual([1, 'b', 3]);
      expect((await store.latest()).map(({ metric, t, v }) => [metric, t, v])).toEqual([['A', t0, 3]]);
    });

    it('sorts late data in and bounds ranges: from is in, to is out, limit counts', async () => {
      const { store } = await opened();
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0 + 20, 1, 20],
            ['A', t0 + 30, 2, 30],
          ]),
          checkpoint(1),
        ),
      );
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0 + 10, 3, 10],
            ['B', t0 + 25, 4, 99],
          ]),
          checkpoint(2),
        ),
      );
      const range = (fromMs: number, toMs: number, limit = 10) => store.range({ machine, metric: 'A', fromMs, toMs, limit });
      expect((await range(t0, t0 + 30)).v).toEqual([10, 20]);
      expect((await range(t0 + 10, t0 + 31)).v).toEqual([10, 20, 30]);
      expect((await range(t0, t0 + 31, 2)).v).toEqual([10, 20]);
      expect((await range(t0 + 31, t0 + 99)).v).toEqual([]);
    });

    it('finds the last sample before a time, of any kind', async () => {
      const { store } = await opened();
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0, 0, 1],
            ['A', t0 + 5, 1, 'x'],
          ]),
          checkpoint(1),
        ),
      );
      expect(await store.lastBefore(machine, 'A', t0)).toBeUndefined();
      expect(await store.lastBefore(machine, 'A', t0 + 5)).toEqual({ t: t0, v: 1 });
      expect(await store.lastBefore(machine, 'A', t0 + 6)).toEqual({ t: t0 + 5, v: 'x' });
      expect(await store.lastBefore(machine, 'unknown', t0 + 6)).toBeUndefined();
    });

    it('tells what held and what changed, for many series at once', async () => {
      const { store } = await opened();
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0 - 90 * 86_400_000, 0, 'long ago'],
            ['A', t0 + 5, 1, null],
            ['B', t0 - 2, 2, 'x'],
            ['B', t0 - 1, 3, null],
            ['C', t0 + 7, 4, 3],
            ['C', t0 + 6, 5, 'text'],
          ]),
          checkpoint(1),
        ),
      );
      const series = ['C', 'none', 'A', 'B'].map((metric) => ({ machine, metric }));
      const found = await store.changes(series, t0, t0 + 10, 100);
      expect(found.map(({ t, v }) => t.map((at, i) => [at - t0, v[i]]))).toEqual([
        [
          [6, 'text'],
          [7, 3],
        ],
        [],
        [
          [-90 * 86_400_000, 'long ago'],
          [5, null],
        ],
        [[-1, null]],
      ]);
      await expect(store.changes(series, t0, t0 + 10, 4)).rejects.toMatchObject({ code: 'store.tooManySamples' });
      expect(await store.changes([], t0, t0 + 10, 4)).toEqual([]);
    });

    it('tells the intervals of a state: what held at the begin, and every change', async () => {
      const { store } = await opened();
      const [hour, day] = [3_600_000, 86_400_000];
      await store.write(
        storeWrite(
          batchOf([
            ['State', t0 - 30 * day, 0, 'idle'],
            ['State', t0 + 1000, 1, 'running'],
            ['State', t0 + 2000, 2, null],
            ['State', t0 + 2000, 3, 'fault'],
            ['State', t0 + hour, 4, 'idle'],
          ]),
          checkpoint(1),
        ),
      );
      const [found] = await store.changes([{ machine, metric: 'State' }], t0, t0 + hour, 100);
      expect(found?.v).toEqual(['idle', 'running', null, 'fault']);
      expect(found?.t.map((t) => t - t0)).toEqual([-30 * day, 1000, 2000, 2000]);
    });

    it('aggregates into aligned buckets and leaves empty ones out', async () => {
      const { store } = await opened();
      const start = Math.ceil(t0 / 1000) * 1000;
      await store.write(
        storeWrite(
          batchOf([
            ['A', start, 0, 1],
            ['A', start + 500, 1, 5],
            ['A', start + 900, 2, 3],
            ['A', start + 2000, 3, 7],
          ]),
          checkpoint(1),
        ),
      );
      expect(await store.buckets({ machine, metric: 'A', fromMs: start, toMs: start + 3000, limit: 10, everyMs: 1000 })).toEqual({
        t: [start, start + 2000],
        min: [1, 7],
        max: [5, 7],
        avg: [3, 7],
        last: [3, 7],
        count: [3, 1],
      });
    });

    it('answers with as many samples as were asked for', async () => {
      const { store } = await opened();
      const series = new SeriesTable();
      const batch = new SampleBatch(series);
      const id = series.id(machine, 'A');
      for (let i = 0; i < 25_000; i++) batch.pushNumber(id, t0 + i, i, i, 192, false);
      await store.write(storeWrite(batch, checkpoint(1)));
      const { v } = await store.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 30_000, limit: 100_000 });
      expect([v.length, v[10_000], v.at(-1)]).toEqual([25_000, 10_000, 24_999]);
    });

    it('writes an empty batch as a checkpoint only', async () => {
      const { store, reopen } = await opened();
      await store.write(storeWrite(batchOf([]), checkpoint(3)));
      expect(store.series()).toEqual([]);
      const again = await reopen();
      expect((await again.open())?.nextIndex).toBe(3);
      await again.close();
    });

    it('takes 100,000 samples of 500 series in one batch', async () => {
      const { store } = await opened();
      const series = new SeriesTable();
      const batch = new SampleBatch(series);
      for (let i = 0; i < 100_000; i++) batch.push(series.id(machine, `M${i % 500}`), t0 + i, i % 1_000_000, i / 4, 192, false);
      await store.write(storeWrite(batch, checkpoint(1)));
      const all = await Promise.all(
        [0, 499].map((m) => store.range({ machine, metric: `M${m}`, fromMs: t0, toMs: t0 + 100_000, limit: 1000 })),
      );
      expect(all.map(({ v }) => v.length)).toEqual([200, 200]);
      expect(all[1]?.v.at(-1)).toBe(99_999 / 4);
      expect(store.series()).toHaveLength(500);
    });

    lossSuite(opened);

    it('closes twice without harm', async () => {
      const { store } = await opened();
      await store.close();
      await store.close();
    });
  });
}
