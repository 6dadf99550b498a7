import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasInfluxd, influxdMajor, influxQuery, startInfluxd } from '../../test/harness/influxd.ts';
import { until } from '../../test/harness/until.ts';
import { storeWrite } from '../testing/store-write.ts';
import { influxdbConfig } from './config.ts';
import { createInfluxdbStore } from './influxdb-store.ts';
import { at, numbered } from './testing/numbered.ts';
import { shareInfluxd } from './testing/shared-influxd.ts';

const influxd = shareInfluxd();
let databases = 0;

/** The last segment of the log of each shard below. */
function lastSegments(root: string): readonly string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.wal'));
  const last = new Map<string, string>();
  for (const file of files.sort()) last.set(join(file, '..'), join(root, file));
  return [...last.values()];
}

/** 2.x names folders by the ids of buckets: then those of all. */
const logsOf = (database: string): string => join(influxd.folder, influxdMajor === 1 ? `wal/${database}` : 'engine/wal');

/** What a server leaves that is killed in the middle of a write: the beginning of an entry that says it is longer. */
function tear(root: string): void {
  const entry = Buffer.alloc(3000, 7);
  entry.writeUInt8(1, 0);
  entry.writeUInt32BE(60_000, 1);
  for (const file of lastSegments(root)) appendFileSync(file, entry);
}

describe.skipIf(!hasInfluxd)('influxdb store over a torn log (needs influxd: apt-get install influxdb)', () => {
  const config = () => influxdbConfig.parse({ type: 'influxdb', url: influxd.url, database: `torn${databases++}`, ...influxd.access });
  const sums = async (database: string) => (await influxQuery(influxd.url, database, 'SELECT count(v), max(v) FROM samples'))[0];

  it.each([
    'goes on',
    'is started again too',
  ])('loses nothing that the next server took, whose end is no better, when ingest %s', async (how) => {
    const settings = config();
    let store = createInfluxdbStore(settings);
    await store.open();
    await store.write(storeWrite(numbered(0, 100), at(1)));
    tear(logsOf(settings.database));
    await influxd.restart();
    if (how !== 'goes on') {
      await store.close();
      store = createInfluxdbStore(settings);
      expect(await store.open()).toEqual(at(1));
    }
    for (let i = 1; i < 5; i++) {
      await until('written', async () => {
        // As ingest does: until it works.
        return store.write(storeWrite(numbered(i * 100, (i + 1) * 100), at(i + 1))).then(
          () => true,
          () => false,
        );
      });
    }
    await store.close();
    await influxd.restart();
    const again = createInfluxdbStore(settings);
    expect(await again.open()).toEqual(at(5));
    expect(await sums(settings.database)).toMatchObject({ count: 500, max: 499 });
    await again.close();
  });

  it('pads nothing that is new, nor twice', async () => {
    const settings = config();
    const padded = async () =>
      Number((await influxQuery(influxd.url, settings.database, 'SELECT count(data) FROM padding'))[0]?.count ?? 0);
    const store = createInfluxdbStore(settings);
    await store.open();
    await store.write(storeWrite(numbered(0, 100), at(1)));
    // 2.x does not tell which shards are new.
    const atFirst = influxdMajor === 1 ? 0 : 1;
    expect(await padded()).toBe(atFirst);
    await influxd.restart();
    await until('written', () =>
      store.write(storeWrite(numbered(100, 200), at(2))).then(
        () => true,
        () => false,
      ),
    );
    await store.write(storeWrite(numbered(200, 300), at(3)));
    expect(await padded()).toBe(atFirst + 1);
    await store.close();
  });

  it.skipIf(influxdMajor > 1)('loses nothing as a user whom the server does not tell its diagnostics', async () => {
    const folder = join(influxd.folder, 'guarded');
    const settings = { http: 'auth-enabled = true' };
    let guarded = await startInfluxd(folder, undefined, settings);
    const ask = async (q: string, login = 'u=root&p=admin'): Promise<string> =>
      (await fetch(`${guarded.url}/query?${login}`, { method: 'POST', body: new URLSearchParams({ q }) })).text();
    await ask(`CREATE USER root WITH PASSWORD 'admin' WITH ALL PRIVILEGES`, '');
    await until('the administrator is known', async () => (await ask('SHOW DATABASES')).includes('"series"'));
    await ask('CREATE DATABASE own');
    await ask('CREATE RETENTION POLICY kept ON own DURATION INF REPLICATION 1 SHARD DURATION 100000d');
    await ask(`CREATE USER nhip WITH PASSWORD 'secret'`);
    await ask('GRANT ALL ON own TO nhip');
    await until('the grant is in force', async () => (await ask('SHOW RETENTION POLICIES ON own', 'u=nhip&p=secret')).includes('"kept"'));
    const passwordFile = join(influxd.folder, 'secret');
    writeFileSync(passwordFile, 'secret');
    const store = createInfluxdbStore(
      influxdbConfig.parse({ type: 'influxdb', url: guarded.url, database: 'own', username: 'nhip', passwordFile }),
    );
    await store.open();
    await store.write(storeWrite(numbered(0, 100), at(1)));
    tear(join(folder, 'wal/own'));
    // No request is on the way: only the connections end.
    await guarded.kill();
    guarded = await startInfluxd(folder, guarded.port, settings);
    await store.write(storeWrite(numbered(100, 200), at(2)));
    await guarded.kill();
    guarded = await startInfluxd(folder, guarded.port, settings);
    expect(await store.open()).toEqual(at(2));
    expect((await store.latest()).map(({ v }) => v)).toEqual([199]);
    await store.close();
    await guarded.stop();
  });
});
