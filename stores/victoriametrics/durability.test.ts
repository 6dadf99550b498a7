import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../test/harness/until.ts';
import { exportSeries, hasVictoriaMetrics, startVictoriaMetrics } from '../../test/harness/victoria-metrics.ts';
import { storeWrite } from '../testing/store-write.ts';
import { victoriametricsConfig } from './config.ts';
import { createVictoriametricsStore } from './victoriametrics-store.ts';

const dir = mkdtempSync(join(tmpdir(), 'nhip-vm-class-'));
afterAll(() => rmSync(dir, { recursive: true }));

const t0 = Date.UTC(2026, 0, 5, 8);

/** Samples numbered [from, to) of 100 new series for each thousand: names must survive as well as values. */
function numbered(from: number, to: number): SampleBatch {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (let n = from; n < to; n++) batch.push(series.id(`g/e/${Math.floor(n / 1000)}`, `M${n % 100}`), t0 + n, 0, n, 192, false);
  return batch;
}

const at = (nextIndex: number) => ({ nextIndex, decoder: Uint8Array.of(1), repeats: new Uint8Array() });

describe.skipIf(!hasVictoriaMetrics)('class D1 of victoriametrics (needs it: apt-get install victoria-metrics)', () => {
  it('holds against a real clock and kill -9: what the checkpoint says is there, the rest is written again', {
    timeout: 150_000,
  }, async () => {
    const data = join(dir, 'data');
    let server = await startVictoriaMetrics(data);
    const env = createNodeEnv(dir);
    const config = victoriametricsConfig.parse({ type: 'victoriametrics', url: server.url });
    const make = () => createVictoriametricsStore(config, { clock: env.clock, place: { disk: env.disk, folder: 'place' } });
    const stored = async () => new Set((await exportSeries(server.url, '{__name__="samples_v"}')).flatMap(({ values }) => values));

    const store = make();
    await store.open();
    // A write in every second, as from a running plant: some are older than the class says at the end, some are younger.
    const size = 1000;
    const started = env.clock.now();
    let next = 0;
    const checkpoint = await until(
      'some writes are durable',
      async () => {
        if (env.clock.now() >= started + next * 1000) {
          await store.write(storeWrite(numbered(next * size, (next + 1) * size), at(next + 1)));
          next++;
        }
        const found = await store.open();
        return found !== undefined && found.nextIndex > 1 && found;
      },
      120_000,
    );
    const answered = next;
    await server.kill();
    server = await startVictoriaMetrics(data, server.port);
    const kept = await stored();
    const missing = Array.from({ length: checkpoint.nextIndex * size }, (_, n) => n).filter((n) => !kept.has(n));
    expect(missing).toEqual([]);
    // Not all that was answered is there, or this test would prove nothing.
    expect(kept.size).toBeLessThan(answered * size);
    await store.close();

    const again = make();
    const from = (await again.open())?.nextIndex ?? 0;
    expect(from).toBe(checkpoint.nextIndex);
    for (let i = from; i < answered; i++) await again.write(storeWrite(numbered(i * size, (i + 1) * size), at(i + 1)));
    expect((await stored()).size).toBe(answered * size);
    await again.close();
    await server.kill();
  });
});
