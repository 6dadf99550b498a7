import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { describe, expect, it } from 'vitest';
import { startHttpFaults } from '../../test/harness/http-faults.ts';
import { hasInfluxd, influxQuery } from '../../test/harness/influxd.ts';
import { until } from '../../test/harness/until.ts';
import { storeWrite } from '../testing/store-write.ts';
import { influxdbConfig } from './config.ts';
import { createInfluxdbStore } from './influxdb-store.ts';
import { at, machine, numbered } from './testing/numbered.ts';
import { shareInfluxd } from './testing/shared-influxd.ts';

const influxd = shareInfluxd();
let databases = 0;
const config = (url = influxd.url) => influxdbConfig.parse({ type: 'influxdb', url, database: `ahead${databases++}`, ...influxd.access });

async function count(database: string): Promise<number> {
  const [row] = await influxQuery(influxd.url, database, 'SELECT count(v) FROM samples');
  return Number(row?.count ?? 0);
}

describe.skipIf(!hasInfluxd)('samples that go ahead of their write (needs influxd: apt-get install influxdb)', () => {
  it('are there before it, and once after it; a checkpoint comes only with the write', async () => {
    const of = config();
    const store = createInfluxdbStore(of);
    await store.open();
    const [first, second] = [numbered(0, 1000), numbered(1000, 3000)];
    const writing = store.write(storeWrite(first, at(1)));
    store.ahead?.(second);
    await writing;
    await until('the second batch is there', async () => (await count(of.database)) === 3000);
    expect((await store.open())?.nextIndex).toBe(1);
    // What a process that ends here leaves is written again by the next, in other batches.
    await store.close();
    const next = createInfluxdbStore(of);
    expect((await next.open())?.nextIndex).toBe(1);
    const again = numbered(1000, 3500);
    next.ahead?.(again);
    await next.write(storeWrite(again, at(3)));
    expect([await count(of.database), (await next.open())?.nextIndex]).toEqual([3500, 3]);
    await next.close();
  });

  it('go ahead also when the write before them, which went ahead itself, has only just begun', async () => {
    const of = config();
    const store = createInfluxdbStore(of);
    await store.open();
    const [first, second, third] = [numbered(0, 100), numbered(100, 200), numbered(200, 300)];
    for (const [i, [batch, following]] of [[first, second] as const, [second, third] as const].entries()) {
      const writing = store.write(storeWrite(batch, at(i + 1)));
      store.ahead?.(following);
      await writing;
    }
    await until('the third batch is there', async () => (await count(of.database)) === 300);
    await store.write(storeWrite(third, at(3)));
    expect([await count(of.database), (await store.open())?.nextIndex]).toEqual([300, 3]);
    await store.close();
  });

  it('are refused with the write, by row', async () => {
    const of = influxdbConfig.parse({ ...config(), retentionDays: 30 });
    const store = createInfluxdbStore(of);
    await store.open();
    const now = Date.now();
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    for (let i = 0; i < 200; i++)
      batch.push(series.id(machine, 'A'), i % 100 === 7 ? now - 90 * 86_400_000 : now + i, i, i === 5 ? Number.NaN : i, 192, false);
    store.ahead?.(batch);
    const kept: number[] = [];
    const keepRefused = async (refused: readonly { readonly row: number }[]) => {
      kept.push(...refused.map(({ row }) => row));
      return [];
    };
    await store.write({ ...storeWrite(batch, at(1)), keepRefused });
    expect(kept.sort((a, b) => a - b)).toEqual([5, 7, 107]);
    expect(await count(of.database)).toBe(197);
    await store.close();
  });

  it('go again with the write when they did not arrive', async () => {
    const faults = await startHttpFaults(influxd.port, () => 0);
    const of = config(`http://127.0.0.1:${faults.port}`);
    const store = createInfluxdbStore(of);
    await store.open();
    const batch = numbered(0, 500);
    faults.set({ kind: 'status', status: 503, share: 1 });
    store.ahead?.(batch);
    await until('they were turned away', async () => faults.hits() > 0);
    faults.set({ kind: 'pass' });
    await store.write(storeWrite(batch, at(1)));
    expect(await count(of.database)).toBe(500);
    await store.close();
    await faults.close();
  });
});
