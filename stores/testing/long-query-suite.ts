import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { expect, it } from 'vitest';
import type { Checkpoint, HistoryStore } from '../history-store.ts';
import { storeWrite } from './store-write.ts';

const hour = 3_600_000;
const t0 = Date.UTC(2026, 0, 5, 8);
const machine = 'hoalac/edge-1/ÉP-01';
const checkpoint: Checkpoint = { nextIndex: 1, decoder: Uint8Array.of(1), repeats: Uint8Array.of(1) };

async function write(store: HistoryStore, rows: readonly (readonly [metric: string, timeMs: number, value: Value])[]): Promise<void> {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (const [i, [metric, timeMs, value]] of rows.entries()) batch.push(series.id(machine, metric), timeMs, i, value, 192, false);
  await store.write(storeWrite(batch, checkpoint));
}

/** What counters gained and how long states held. Part of the store suite. */
export function longQuerySuite(opened: () => Promise<{ store: HistoryStore }>): void {
  it('tells the intervals of a state: what held at the begin, and every change', async () => {
    const { store } = await opened();
    await write(store, [
      ['State', t0 - 30 * 24 * hour, 'idle'],
      ['State', t0 + 1000, 'running'],
      ['State', t0 + 2000, null],
      ['State', t0 + 2000, 'fault'],
      ['State', t0 + hour, 'idle'],
    ]);
    const [found] = await store.changes([{ machine, metric: 'State' }], t0, t0 + hour, 100);
    expect(found?.v).toEqual(['idle', 'running', null, 'fault']);
    expect(found?.t.map((t) => t - t0)).toEqual([-30 * 24 * hour, 1000, 2000, 2000]);
  });

  it('adds up how long each word held, by bucket', async () => {
    const { store } = await opened();
    const asked = { machine, metrics: ['State', 'none'], fromMs: t0 - hour, toMs: t0 + 2 * hour, everyMs: hour, limit: 100 };
    expect(await store.stateTimes?.(asked)).toEqual([
      { t: [], state: [], ms: [] },
      { t: [], state: [], ms: [] },
    ]);
    await write(store, [
      ['State', t0 + 1000, 'running'],
      ['State', t0 + 2000, 'running'],
      ['State', t0 + 3000, null],
      ['State', t0 + 4000, 'fault'],
      ['State', t0 + hour + 500, 'running'],
    ]);
    expect(await store.stateTimes?.(asked)).toEqual([
      {
        t: [t0, t0, t0, t0 + hour, t0 + hour],
        state: [null, 'fault', 'running', 'fault', 'running'],
        ms: [1000, hour - 4000, 2000, 500, hour - 500],
      },
      { t: [], state: [], ms: [] },
    ]);
    const [later] = (await store.stateTimes?.({ ...asked, fromMs: t0 + 3 * hour, toMs: t0 + 4 * hour })) ?? [];
    expect(later).toEqual({ t: [t0 + 3 * hour], state: ['running'], ms: [hour] });
    await expect(store.stateTimes?.({ ...asked, limit: 4 })).rejects.toMatchObject({ code: 'store.tooManySamples' });
  });

  it('tells what counters gained, by bucket, in spite of resets, from the reading before on', async () => {
    const { store } = await opened();
    await write(store, [
      ['Count/Good', t0 - 40 * 24 * hour, 90],
      ['Count/Good', t0 - 1, null],
      ['Count/Good', t0, 100],
      ['Count/Good', t0 + 1, 100],
      ['Count/Good', t0 + 2, 4],
      ['Count/Good', t0 + hour, 9],
      ['Count/Good', t0 + 3 * hour, 9],
      ['Energy/Import', t0 + 5, 0.5],
      ['Energy/Import', t0 + 7, 0.75],
      ['free', t0 + 5, 3],
      ['free', t0 + 7, 5],
    ]);
    const asked = { machine, metrics: ['Energy/Import', 'none', 'Count/Good', 'free'], fromMs: t0, toMs: t0 + 4 * hour, everyMs: hour };
    expect(await store.gains?.({ ...asked, limit: 100 })).toEqual([
      { t: [t0], gain: [0.25] },
      { t: [], gain: [] },
      { t: [t0, t0 + hour, t0 + 3 * hour], gain: [14, 5, 0] },
      { t: [t0], gain: [2] },
    ]);
    await expect(store.gains?.({ ...asked, limit: 4 })).rejects.toMatchObject({ code: 'store.tooManySamples' });
  });

  it('tells what a counter gained when samples are many, and many share a millisecond', async () => {
    const { store } = await opened();
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    const samples = 60_000;
    const id = series.id(machine, 'Count/Good');
    // The last third is all of one millisecond.
    for (let i = 0; i < samples; i++) batch.pushNumber(id, t0 + Math.min(i, (samples * 2) / 3), i, i % 1000, 192, false);
    await store.write(storeWrite(batch, checkpoint));
    const asked = { machine, metrics: ['Count/Good'], fromMs: t0, toMs: t0 + hour, everyMs: hour, limit: 10 };
    // A drop from 999 to 0 gains nothing.
    expect(await store.gains?.(asked)).toEqual([{ t: [t0], gain: [(samples / 1000) * 999] }]);
  });
}
