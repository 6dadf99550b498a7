import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../test/harness/small-disk.ts';
import { until } from '../../test/harness/until.ts';
import {
  exportSeries,
  flushToDisk,
  hasVictoriaMetrics,
  startVictoriaMetrics,
  type VictoriaMetrics,
} from '../../test/harness/victoria-metrics.ts';
import type { Checkpoint, RefusedSample, SampleStore } from '../history-store.ts';
import { decodeName } from '../influxdb/line-protocol.ts';
import { batchOf } from '../testing/batch-of.ts';
import { storeWrite } from '../testing/store-write.ts';
import { sampleStoreSuite } from '../testing/write-suite.ts';
import { victoriametricsConfig } from './config.ts';
import { createVictoriametricsStore, durableAfterMs, victoriametricsCannot } from './victoriametrics-store.ts';

const t0 = Date.UTC(2026, 0, 5, 8);
const dir = mkdtempSync(join(tmpdir(), 'nhip-vm-'));
let server: VictoriaMetrics;
let stores = 0;

beforeAll(async () => {
  if (hasVictoriaMetrics) server = await startVictoriaMetrics(join(dir, 'data'));
});

afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true });
});

function made(change: object = {}, clock: SimClock = createSimClock(Date.now())) {
  const config = victoriametricsConfig.parse({ type: 'victoriametrics', url: server.url, ...change });
  const place = { disk: createNodeEnv(dir).disk, folder: `place-${stores++}` };
  const make = () => createVictoriametricsStore(config, { clock, place });
  return { store: make(), reopen: make, clock, file: join(dir, place.folder, 'checkpoint.json') };
}

function numbered(machine: string, from: number, to: number): SampleBatch {
  return batchOf(
    machine,
    Array.from({ length: to - from }, (_, i) => ['A', t0 + from + i, from + i] as const),
  );
}

const at = (nextIndex: number): Checkpoint => ({ nextIndex, decoder: Uint8Array.of(1, 2), repeats: Uint8Array.of(nextIndex) });

/** Lets time go by until the store has looked at its server again. */
async function noticesRestart(store: SampleStore, clock: SimClock): Promise<void> {
  await clock.advance(durableAfterMs);
  await until('it is set back', async () => {
    await clock.advance(5000);
    return store.isSetBack?.();
  });
}

const valuesOf = async (machine: string): Promise<readonly number[]> => {
  const [series] = await exportSeries(server.url, `samples_v{machine="${machine}"}`);
  return series?.values ?? [];
};

/** Until the store has looked at the server and moved its checkpoint this far. */
async function durable(clock: SimClock, store: { open(): Promise<Checkpoint | undefined> }, nextIndex: number): Promise<void> {
  await until(`checkpoint ${nextIndex} is durable`, async () => {
    await clock.advance(5000);
    return (await store.open())?.nextIndex === nextIndex;
  });
}

if (hasVictoriaMetrics) {
  sampleStoreSuite('victoriametrics', victoriametricsCannot, () => {
    const { store, reopen, clock } = made();
    return {
      store,
      reopen,
      dispose: () => store.close(),
      settle: () => clock.advance(durableAfterMs),
      samplesOf: async (machine, metric) => {
        const found = await exportSeries(server.url, `samples_v{machine=${JSON.stringify(machine)}}`);
        const series = found.find((each) => decodeName(each.metric.metric ?? '') === metric);
        return (series?.values ?? []).map((v, i) => ({ t: series?.timestamps[i] ?? 0, v }));
      },
    };
  });
}

describe.skipIf(!hasVictoriaMetrics)('victoriametrics store (needs it: apt-get install victoria-metrics)', () => {
  it('leaves out what has no number, and says how many and why', async () => {
    const { store } = made();
    await store.open();
    const values: Value[] = ['chạy', '', null, true, false, -0.25, 2n ** 40n];
    await store.write(
      storeWrite(
        batchOf(
          'kinds',
          values.map((value, i) => ['A', t0 + i, value] as const),
        ),
        at(1),
      ),
    );
    expect(await valuesOf('kinds')).toEqual([1, 0, -0.25, 2 ** 40]);
    expect(store.leftOut?.()).toBe(3);
    expect(Object.keys(store.cannot ?? {})).toEqual(expect.arrayContaining(['text', 'noValue', 'exactIntegers', 'booleans']));
    // Nothing under another name, such as a 0 in place of a text.
    expect(await exportSeries(server.url, '{machine="kinds"}')).toHaveLength(1);
    await store.close();
  });

  it('hands over what the server would drop without a word', async () => {
    const { store } = made();
    await store.open();
    const now = Date.now();
    const rows = [
      ['A', now - 11 * 365 * 86_400_000, 1],
      ['A', now - 9 * 365 * 86_400_000, 2],
      ['A', now, 3],
      ['A', now + 3 * 86_400_000, 4],
    ] as const;
    const handed: RefusedSample[] = [];
    await store.write({
      ...storeWrite(batchOf('edges of time', rows), at(1)),
      keepRefused: async (refused) => {
        handed.push(...refused);
        return [];
      },
    });
    expect(handed.map(({ row }) => row)).toEqual([0, 3]);
    expect(await valuesOf('edges of time')).toEqual([2, 3]);
    await store.close();
  });

  it('moves the checkpoint only when its time has passed and the same server still runs', async () => {
    const { store, reopen, clock } = made();
    expect(await store.open()).toBeUndefined();
    await store.write(storeWrite(numbered('late', 0, 10), at(1)));
    await clock.advance(durableAfterMs - 1);
    await store.write(storeWrite(numbered('late', 10, 20), at(2)));
    expect(await store.open()).toBeUndefined();
    await durable(clock, store, 1);
    await clock.advance(durableAfterMs);
    await durable(clock, store, 2);
    await store.close();
    expect(await reopen().open()).toEqual(at(2));
  });

  it('is set back when the server was killed: what is younger is written again, and nothing is missing or double', async () => {
    const { store, reopen, clock } = made();
    await store.open();
    await store.write(storeWrite(numbered('killed', 0, 100), at(1)));
    // What the server does by itself within its time.
    await flushToDisk(server.url);
    await clock.advance(durableAfterMs);
    await durable(clock, store, 1);
    await store.write(storeWrite(numbered('killed', 100, 200), at(2)));
    expect(await valuesOf('killed')).toHaveLength(200);
    await server.kill();
    await expect(store.write(storeWrite(numbered('killed', 200, 300), at(3)))).rejects.toMatchObject({ code: 'store.unreachable' });
    server = await startVictoriaMetrics(join(dir, 'data'), server.port);
    expect(await valuesOf('killed')).toHaveLength(100);
    expect(store.isSetBack?.()).toBe(false);
    await store.write(storeWrite(numbered('killed', 200, 300), at(3)));
    expect(store.isSetBack?.()).toBe(true);
    await flushToDisk(server.url);
    await clock.advance(2 * durableAfterMs);
    expect((await store.open())?.nextIndex).toBe(1);
    await store.close();
    const again = reopen();
    expect((await again.open())?.nextIndex).toBe(1);
    await again.write(storeWrite(numbered('killed', 100, 300), at(3)));
    await again.write(storeWrite(numbered('killed', 150, 300), at(3)));
    expect(await valuesOf('killed')).toEqual(Array.from({ length: 300 }, (_, n) => n));
    await again.close();
  });

  it('notices a server that was killed and came back while nothing was written', async () => {
    const { store, clock } = made();
    await store.open();
    await store.write(storeWrite(numbered('quiet', 0, 10), at(1)));
    await server.kill();
    server = await startVictoriaMetrics(join(dir, 'data'), server.port);
    await noticesRestart(store, clock);
    expect(await store.open()).toBeUndefined();
    await store.close();
  });

  it('takes what goes ahead of its write once, and trusts it no longer than the server that took it', async () => {
    const { store, clock } = made();
    await store.open();
    const [first, second, third] = [numbered('ahead', 0, 100), numbered('ahead', 100, 200), numbered('ahead', 200, 300)];
    const writing = store.write(storeWrite(first, at(1)));
    store.ahead?.(second);
    await writing;
    await until('the second batch is there', async () => (await valuesOf('ahead')).length === 200);
    await store.write(storeWrite(second, at(2)));
    store.ahead?.(third);
    await until('the third batch is there', async () => (await valuesOf('ahead')).length === 300);
    await server.kill();
    server = await startVictoriaMetrics(join(dir, 'data'), server.port);
    await store.write(storeWrite(third, at(3)));
    await noticesRestart(store, clock);
    expect(await store.open()).toBeUndefined();
    await store.close();
  });

  it('says what is in the way: doubles, another program, a damaged file, a full disk', async () => {
    const doubling = await startVictoriaMetrics(join(dir, 'doubling'), undefined, ['-dedup.minScrapeInterval=0s']);
    await expect(made({ url: doubling.url }).store.open()).rejects.toMatchObject({ code: 'store.doubles' });
    await doubling.stop();
    await expect(made({ url: doubling.url }).store.open()).rejects.toMatchObject({ code: 'store.unreachable' });
    const { store, reopen, clock, file } = made();
    await store.open();
    await store.write(storeWrite(numbered('damaged', 0, 1), at(1)));
    await clock.advance(durableAfterMs);
    await durable(clock, store, 1);
    await store.close();
    writeFileSync(file, 'x');
    await expect(reopen().open()).rejects.toMatchObject({ code: 'store.damaged' });
  });

  it.skipIf(process.getuid?.() !== 0)('takes up again by itself after its disk was full (needs root)', async () => {
    const disk = mountSmallDisk(join(dir, 'small'), 40);
    const filler = join(disk.path, 'filler');
    const small = await startVictoriaMetrics(disk.path, undefined, ['-storage.minFreeDiskSpaceBytes=20MB']);
    const { store } = made({ url: small.url });
    await store.open();
    await store.write(storeWrite(numbered('full', 0, 10), at(1)));
    writeFileSync(filler, Buffer.alloc(25_000_000));
    const write = storeWrite(numbered('full', 10, 20), at(2));
    await until('it is full', () =>
      store.write(write).then(
        () => false,
        (error: { code?: string }) => error.code === 'store.diskFull',
      ),
    );
    rmSync(filler);
    await until('it takes again', () => store.write(write).then(() => true));
    await store.close();
    await small.kill();
    disk.remove();
  });
});
