import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startHttpFaults } from '../../test/harness/http-faults.ts';
import { hasInfluxd, influxdMajor, influxQuery, influxWrite, startInfluxd } from '../../test/harness/influxd.ts';
import { until } from '../../test/harness/until.ts';
import type { StoreWrite } from '../history-store.ts';
import { startKeptBlocker } from '../testing/kept-blocker.ts';
import { storeSuite } from '../testing/store-suite.ts';
import { storeWrite } from '../testing/store-write.ts';
import { influxdbConfig } from './config.ts';
import { createInfluxdbStore } from './influxdb-store.ts';
import { influxdb2Suite } from './testing/influxdb-2-suite.ts';
import { at, machine, numbered, t0 } from './testing/numbered.ts';
import { shareInfluxd } from './testing/shared-influxd.ts';

const influxd = shareInfluxd();
let databases = 0;

const configFor = (change: object = {}) =>
  influxdbConfig.parse({ type: 'influxdb', url: influxd.url, database: `db${databases++}`, ...influxd.access, ...change });

function inDatabase() {
  const config = configFor();
  const make = () => createInfluxdbStore(config);
  const store = make();
  return { store, config, reopen: make, dispose: () => store.close() };
}

function loss(change: Partial<Loss> = {}): Loss {
  const numbers = { stream: '', seqFrom: 0, seqTo: 0, fromMs: t0, toMs: t0, atMs: t0 };
  return { edge: 'g/e', machine, metric: 'A', reason: 'deadLettered', detail: '', samples: 1, ...numbers, ...change };
}

if (hasInfluxd) storeSuite('influxdb', inDatabase);
if (hasInfluxd && influxdMajor === 2) influxdb2Suite(influxd);

describe.skipIf(!hasInfluxd)('influxdb store (needs influxd: apt-get install influxdb)', () => {
  const count = async (database: string): Promise<number> =>
    Number((await influxQuery(influxd.url, database, 'SELECT count(v) FROM samples'))[0]?.count ?? 0);

  it('keeps names and texts of any kind to the letter', async () => {
    const { store } = inDatabase();
    await store.open();
    const anyText = fc.string({ unit: 'binary', maxLength: 20 });
    const names = new Set([
      'a\\',
      'a,b=c d',
      ' ',
      '"',
      "'",
      'x\ny',
      '100% %41',
      'năng lượng',
      ...fc.sample(anyText, { numRuns: 150, seed: 1 }),
    ]);
    names.delete('');
    const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 200 }), { numRuns: names.size, seed: 2 });
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    const all = [...names].map((metric, i) => ({ metric, value: texts[i] ?? '' }));
    for (const { metric, value } of all) batch.push(series.id(machine, metric), t0, 1, value, 192, false);
    await store.write(storeWrite(batch, at(1)));
    const found = await store.changes(
      all.map(({ metric }) => ({ machine, metric })),
      t0,
      t0 + 1,
      1000,
    );
    expect(found.map(({ v }) => v)).toEqual(all.map(({ value }) => [value]));
    expect(new Set((await store.latest()).map(({ metric }) => metric))).toEqual(names);
    await store.close();
  });

  it('keeps extreme numbers, long texts and qualities', async () => {
    const { store } = inDatabase();
    await store.open();
    const values: Value[] = [5e-324, -1.7976931348623157e308, 1e21, -1e-7, 0.1 + 0.2, 'x'.repeat(200_000), 2n ** 64n - 1n];
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    for (const [i, value] of values.entries()) batch.push(series.id(machine, 'A'), t0 + i, i, value, 500 + i, false);
    await store.write(storeWrite(batch, at(1)));
    const { v, q } = await store.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 100, limit: 100 });
    expect(v).toEqual(values);
    expect(q).toEqual(values.map((_, i) => 500 + i));
    await store.close();
  });

  it('carries checkpoints larger than one text, and knows births that did not change', async () => {
    const { store, config, reopen } = inDatabase();
    await store.open();
    const decoder = new Uint8Array(300_000).map((_, i) => (i * 31) % 251);
    const repeats = new Uint8Array(100_001).fill(7);
    for (let i = 1; i <= 20; i++) await store.write(storeWrite(numbered(i, i + 1), { nextIndex: i, decoder, repeats }));
    await store.close();
    const again = reopen();
    expect(await again.open()).toEqual({ nextIndex: 20, decoder, repeats });
    // The same births were written once, in seven parts.
    expect(await influxQuery(influxd.url, config.database, `SELECT count(part) FROM kept.blob WHERE kind = 'decoder'`)).toMatchObject([
      { count: 7 },
    ]);
    await again.write(storeWrite(numbered(0, 1), at(21)));
    expect(await again.open()).toEqual(at(21));
    await again.close();
  });

  it.skipIf(influxdMajor > 1)('keeps losses and checkpoint in one shard, so that they are written as one', async () => {
    const { store, config } = inDatabase();
    await store.open();
    await store.write(storeWrite(numbered(0, 1), at(1), [loss(), loss({ atMs: t0 + 400 * 86_400_000 })]));
    const shards = await influxQuery(influxd.url, '', 'SHOW SHARDS');
    expect(shards.filter(({ database, retention_policy }) => database === config.database && retention_policy === 'kept')).toHaveLength(1);
    await store.close();
  });

  it('keeps equal losses apart, and makes no new ones of a write that is tried again', async () => {
    const { store } = inDatabase();
    await store.open();
    const losses = Array.from({ length: 2500 }, () => loss());
    const write: StoreWrite = storeWrite(numbered(0, 1), at(1), losses);
    await store.write(write);
    expect(await store.lossTotals()).toMatchObject([{ samples: 2500 }]);
    await store.write(storeWrite(numbered(1, 2), at(2), [loss()]));
    expect(await store.lossTotals()).toMatchObject([{ samples: 2501 }]);
    await store.close();
  });

  it('hands over samples older than the retention, and stores the rest', async () => {
    const config = configFor({ retentionDays: 30 });
    const store = createInfluxdbStore(config);
    await store.open();
    const series = new SeriesTable();
    const batch = new SampleBatch(series);
    const now = Date.now();
    for (let i = 0; i < 300; i++) batch.push(series.id(machine, 'A'), i % 100 === 3 ? now - 90 * 86_400_000 : now + i, i, i, 192, false);
    const kept: number[] = [];
    await store.write({
      ...storeWrite(batch, at(1)),
      keepRefused: async (refused) => {
        kept.push(...refused.map(({ row }) => row));
        expect(refused[0]?.reason).toContain('retention');
        return [loss({ samples: 3 })];
      },
    });
    expect(kept).toEqual([3, 103, 203]);
    expect(await count(config.database)).toBe(297);
    expect(await store.lossTotals()).toMatchObject([{ samples: 3 }]);
    await store.close();
  });

  it('counts refused samples with every try, and writes their losses once', async () => {
    const config = configFor();
    const proxy = await startKeptBlocker(influxd.port);
    const store = createInfluxdbStore({ ...config, url: proxy.url });
    await store.open();
    proxy.block(true);
    const batch = numbered(0, 10);
    batch.timeMs[4] = 1e18;
    let tries = 0;
    const write: StoreWrite = {
      ...storeWrite(batch, at(1)),
      keepRefused: async (refused) => [loss({ samples: refused.length, atMs: t0 + tries++ })],
    };
    await expect(store.write(write)).rejects.toMatchObject({ code: 'store.busy' });
    proxy.block(false);
    await store.write(write);
    expect(tries).toBe(2);
    expect(await store.losses({ fromMs: t0, toMs: t0 + 10, limit: 10 })).toEqual([loss({ samples: 1 })]);
    expect(await count(config.database)).toBe(9);
    await store.close();
    await proxy.close();
  });

  it('asks no more about samples that the server has, when only the checkpoint was refused', async () => {
    const config = configFor();
    const proxy = await startHttpFaults(influxd.port, () => 0);
    const store = createInfluxdbStore({ ...config, url: `http://127.0.0.1:${proxy.port}` });
    await store.open();
    const write = storeWrite(numbered(0, 10), at(1));
    proxy.set({ kind: 'poison', pattern: /^checkpoint/m });
    await expect(store.write(write)).rejects.toMatchObject({ code: 'store.checkpointRefused' });
    // Now the server would refuse what it has taken.
    proxy.set({ kind: 'poison', pattern: /^samples/m });
    const before = proxy.hits();
    await store.write(write);
    expect(proxy.hits()).toBe(before);
    expect(await count(config.database)).toBe(10);
    expect(await store.lossTotals()).toEqual([]);
    await store.close();
    await proxy.close();
  });

  it('shows a reader what the writer adds, and lets it change nothing', async () => {
    const { store, config } = inDatabase();
    const reader = createInfluxdbStore(config, { access: 'read' });
    await expect(reader.open()).rejects.toMatchObject({ code: 'store.notThere' });
    await store.open();
    expect(await reader.open()).toBeUndefined();
    await store.write(storeWrite(numbered(0, 4), at(1)));
    expect(await reader.open()).toEqual(at(1));
    expect(await reader.latest()).toMatchObject([{ id: 0, machine, metric: 'A', v: 3 }]);
    await store.write(storeWrite(numbered(4, 5), at(2)));
    await until('the reader knows the series', () => reader.series().length === 1);
    await expect(reader.write(storeWrite(numbered(0, 1), at(3)))).rejects.toMatchObject({ code: 'store.readOnly' });
    await reader.close();
    await store.close();
  });

  it('says what is in the way: foreign data, a newer schema, nobody there', async () => {
    const foreign = configFor();
    const maker = createInfluxdbStore(foreign);
    await maker.open();
    await maker.close();
    await influxWrite(influxd.url, `db=${foreign.database}`, 'samples,machine=m v=1i');
    await expect(createInfluxdbStore(foreign).open()).rejects.toMatchObject({ code: 'store.foreignFields' });
    const { store, config, reopen } = inDatabase();
    await store.open();
    await store.close();
    await influxWrite(influxd.url, `db=${config.database}&rp=kept`, 'meta schema=9i 0');
    await expect(reopen().open()).rejects.toMatchObject({ code: 'store.newerSchema' });
    await expect(createInfluxdbStore(configFor({ url: 'http://127.0.0.1:1' })).open()).rejects.toMatchObject({ code: 'store.unreachable' });
  });

  it.skipIf(influxdMajor > 1)('refuses a server that does not sync', async () => {
    const lazy = await startInfluxd(join(influxd.folder, 'lazy'), undefined, { data: 'wal-fsync-delay = "100ms"' });
    await expect(createInfluxdbStore(configFor({ url: lazy.url })).open()).rejects.toMatchObject({ code: 'store.notDurable' });
    await lazy.stop();
  });

  it.skipIf(influxdMajor > 1)('logs in with a password from a file, as a user who may only use its own database', async () => {
    const guarded = await startInfluxd(join(influxd.folder, 'guarded'), undefined, { http: 'auth-enabled = true' });
    const ask = (q: string, login = '') => fetch(`${guarded.url}/query?${login}`, { method: 'POST', body: new URLSearchParams({ q }) });
    await ask(`CREATE USER root WITH PASSWORD 'admin' WITH ALL PRIVILEGES`);
    // The server does not always know of a user or a grant at once.
    await until('the administrator is known', async () => (await ask('SHOW DATABASES', 'u=root&p=admin')).status === 200);
    const made = ['CREATE DATABASE own', 'CREATE RETENTION POLICY kept ON own DURATION INF REPLICATION 1 SHARD DURATION 100000d'];
    for (const q of [...made, `CREATE USER nhip WITH PASSWORD 'se cret'`, 'GRANT ALL ON own TO nhip']) {
      expect((await ask(q, 'u=root&p=admin')).status).toBe(200);
    }
    const asNhip = async (q: string) => (await ask(q, 'u=nhip&p=se%20cret')).text();
    await until('the grant is in force', async () => (await asNhip('SHOW DATABASES')).includes('"own"'));
    await until('the policy is there', async () => (await asNhip('SHOW RETENTION POLICIES ON own')).includes('"kept"'));
    const passwordFile = join(influxd.folder, 'password');
    const config = configFor({ url: guarded.url, database: 'own', username: 'nhip', passwordFile });
    expect(() => createInfluxdbStore(config)).toThrow(/store.passwordFile: .*password cannot be read \(ENOENT\)/);
    writeFileSync(passwordFile, 'wrong\n');
    await expect(createInfluxdbStore(config).open()).rejects.toMatchObject({ code: 'store.denied' });
    writeFileSync(passwordFile, 'se cret\n');
    const store = createInfluxdbStore(config);
    await store.open();
    await store.write(storeWrite(numbered(0, 5), at(1)));
    expect((await store.latest()).map(({ v }) => v)).toEqual([4]);
    await store.close();
    await guarded.stop();
  });

  it('gives the same points when the checkpoint was lost and the records are read again in other batches', async () => {
    const config = configFor();
    const proxy = await startKeptBlocker(influxd.port);
    const first = createInfluxdbStore({ ...config, url: proxy.url });
    await first.open();
    await first.write(storeWrite(numbered(0, 10), at(10), [loss()]));
    proxy.block(true);
    await expect(first.write(storeWrite(numbered(10, 100), at(100), [loss()]))).rejects.toMatchObject({ code: 'store.busy' });
    expect(await count(config.database)).toBe(100);
    await first.close();
    await proxy.close();
    const second = createInfluxdbStore(config);
    expect((await second.open())?.nextIndex).toBe(10);
    await second.write(storeWrite(numbered(10, 37), at(37)));
    await second.write(storeWrite(numbered(37, 120), at(120), [loss()]));
    expect(await count(config.database)).toBe(120);
    expect(await second.lossTotals()).toMatchObject([{ samples: 2 }]);
    expect((await second.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 100, limit: 1000 })).v).toEqual(
      Array.from({ length: 120 }, (_, n) => n),
    );
    await second.close();
  });

  it('goes on after checkpoints whose answers were lost, under births that do not change', async () => {
    const decoder = Uint8Array.of(7);
    let writes = Number.NEGATIVE_INFINITY;
    // Of each write the samples are answered, the checkpoint is not.
    const faults = await startHttpFaults(influxd.port, () => (writes++ < 1 ? 1 : 0));
    faults.set({ kind: 'forgetful', share: 0.5 });
    const config = configFor({ url: `http://127.0.0.1:${faults.port}` });
    const store = createInfluxdbStore(config);
    await store.open();
    await store.write(storeWrite(numbered(0, 10), at(1, decoder)));
    for (let n = 2; n < 12; n++) {
      writes = 0;
      await expect(store.write(storeWrite(numbered(n * 10, n * 10 + 10), at(n, decoder)))).rejects.toThrow('did not answer');
      expect((await store.open())?.nextIndex).toBe(n);
    }
    await store.close();
    const reopened = createInfluxdbStore(config);
    expect(await reopened.open()).toMatchObject({ nextIndex: 11, decoder });
    await reopened.close();
    await faults.close();
  });

  it('is not set back by requests that a frozen server carries out later', async () => {
    const config = configFor({ requestTimeoutMs: 1000 });
    const store = createInfluxdbStore(config);
    await until('the first write', async () => {
      await store.open();
      await store.write(storeWrite(numbered(0, 10), at(10), [loss()]));
      return true;
    });
    await influxd.whileFrozen(async () => {
      for (let i = 0; i < 3; i++) {
        await expect(store.write(storeWrite(numbered(10, 20), at(20), [loss()]))).rejects.toMatchObject({ code: 'store.unanswered' });
      }
    });
    for (let i = 2; i <= 6; i++) {
      const write = storeWrite(numbered(i * 10 - 10, i * 10), at(i * 10), [loss()]);
      await until(`write ${i}`, () => store.write(write).then(() => true));
    }
    const again = createInfluxdbStore({ ...config, requestTimeoutMs: 10_000 });
    expect(await again.open()).toEqual(at(60));
    expect(await again.lossTotals()).toMatchObject([{ samples: 6 }]);
    expect(await count(config.database)).toBe(60);
    await again.close();
    await store.close();
  });

  it('loses and doubles nothing when the server is killed again and again under writes', async () => {
    const { store, config } = inDatabase();
    await store.open();
    const size = 2000;
    let isDone = false;
    let failures = 0;
    let next = 0;
    const writing = (async () => {
      for (; next < 40; next++) {
        const write = storeWrite(numbered(next * size, (next + 1) * size), at(next + 1), [loss({ detail: String(next) })]);
        // As ingest does: until it works, and after a failure it asks first what became of it.
        for (let wasTried = false; ; wasTried = true) {
          try {
            if (wasTried && (await store.open())?.nextIndex === next + 1) break;
            await store.write(write);
            break;
          } catch {
            failures++;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      }
      isDone = true;
    })();
    for (let round = 1; round <= 5; round++) {
      await until('a few more writes', () => next >= round * 6);
      await influxd.restart();
    }
    await writing;
    expect({ isDone, wasHit: failures > 0 }).toEqual({ isDone: true, wasHit: true });
    await influxd.restart();
    const [sums] = await influxQuery(influxd.url, config.database, 'SELECT count(v), sum(v), max(v) FROM samples');
    const total = 40 * size;
    expect(sums).toMatchObject({ count: total, sum: (total * (total - 1)) / 2, max: total - 1 });
    expect(await store.lossTotals()).toMatchObject([{ samples: 40 }]);
    await store.close();
  });
});
