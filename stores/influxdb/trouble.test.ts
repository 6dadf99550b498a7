import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { afterAll, describe, expect, it } from 'vitest';
import { hasInfluxd, startInfluxd } from '../../test/harness/influxd.ts';
import { mountSmallDisk } from '../../test/harness/small-disk.ts';
import { startTlsProxy } from '../../test/harness/tls-proxy.ts';
import { until } from '../../test/harness/until.ts';
import { storeWrite } from '../testing/store-write.ts';
import { influxdbConfig } from './config.ts';
import { createInfluxdbStore } from './influxdb-store.ts';
import { at, machine, t0 } from './testing/numbered.ts';

const dir = mkdtempSync(join(tmpdir(), 'nhip-influx-trouble-'));
afterAll(() => rmSync(dir, { recursive: true }));

const range = { machine, metric: 'A', fromMs: t0, toMs: t0 + 1e6, limit: 100_000 };

/** Text, which no server packs well. */
function texts(from: number, count: number): SampleBatch {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (let n = from; n < from + count; n++) batch.push(series.id(machine, 'A'), t0 + n, n, `${n}`.repeat(200), 192, false);
  return batch;
}

describe.skipIf(!hasInfluxd)('influxdb store in trouble (needs influxd: apt-get install influxdb)', () => {
  it('speaks TLS with a server of the given authority, and with no other', async () => {
    const influxd = await startInfluxd(join(dir, 'tls'));
    const proxy = await startTlsProxy(join(dir, 'pki'), influxd.port);
    const config = influxdbConfig.parse({ type: 'influxdb', url: proxy.url, caFile: proxy.caFile, ...influxd.access });
    const store = createInfluxdbStore(config);
    await store.open();
    await store.write(storeWrite(texts(0, 100), at(1)));
    expect((await store.range(range)).v).toHaveLength(100);
    await store.close();
    const stranger = createInfluxdbStore({ ...config, caFile: undefined });
    await expect(stranger.open()).rejects.toMatchObject({ code: 'store.unanswered', message: expect.stringMatching(/certificate|issuer/) });
    await stranger.close();
    await proxy.close();
    await influxd.stop();
  });

  it.skipIf(process.getuid?.() !== 0)(
    'says that the disk is full, as long as the server says so, also after there is room (needs root)',
    async () => {
      const disk = mountSmallDisk(join(dir, 'small'), 80);
      let influxd = await startInfluxd(disk.path);
      const store = createInfluxdbStore(influxdbConfig.parse({ type: 'influxdb', url: influxd.url, ...influxd.access }));
      await store.open();
      await store.write(storeWrite(texts(0, 100), at(1)));
      disk.fill();
      const next = storeWrite(texts(100, 1000), at(2));
      const answer = (): Promise<unknown> =>
        store.write(next).then(
          () => 'stored',
          (error: { code?: string }) => error.code,
        );
      await until('the disk is full', async () => (await answer()) === 'store.diskFull');
      disk.free();
      // InfluxDB does not recover by itself: that is why the error says what to do.
      expect(await answer()).toBe('store.diskFull');
      await expect(store.write(next)).rejects.toThrow(/restart influxd/);
      await influxd.kill();
      influxd = await startInfluxd(disk.path, influxd.port);
      await until('it takes again', async () => (await answer()) === 'stored');
      expect((await store.range(range)).v).toHaveLength(1100);
      await store.close();
      await influxd.kill();
      disk.remove();
    },
  );
});
