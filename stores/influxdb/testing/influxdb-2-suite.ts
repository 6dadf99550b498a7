import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startInfluxd } from '../../../test/harness/influxd.ts';
import { authorization2 } from '../../../test/harness/influxd-2.ts';
import { storeWrite } from '../../testing/store-write.ts';
import { influxdbConfig } from '../config.ts';
import { createInfluxdbStore } from '../influxdb-store.ts';
import { at, machine, numbered, t0 } from './numbered.ts';
import type { SharedInfluxd } from './shared-influxd.ts';

interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly orgID: string;
  readonly retentionRules: readonly object[];
}

/** What a 2.x has and a 1.x has not. */
export function influxdb2Suite(influxd: SharedInfluxd): void {
  let databases = 0;
  const configFor = (change: object = {}) =>
    influxdbConfig.parse({ type: 'influxdb', url: influxd.url, database: `two${databases++}`, ...influxd.access, ...change });

  /** The API of 2.x as the operator of the tests. */
  async function call<T>(path: string, body?: object): Promise<T> {
    const response = await fetch(`${influxd.url}/api/v2/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: authorization2, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  const bucketsOf = async (database: string): Promise<readonly Bucket[]> =>
    (await call<{ buckets: readonly Bucket[] }>('buckets?limit=100')).buckets.filter(({ name }) => name.split('/')[0] === database);

  /** Writes a file with a token that may do these things with these buckets and nothing else. */
  async function tokenFor(buckets: readonly Bucket[], actions: readonly string[]): Promise<string> {
    const permissions = buckets.flatMap(({ id, orgID }) => actions.map((action) => ({ action, resource: { type: 'buckets', id, orgID } })));
    const { token } = await call<{ token: string }>('authorizations', { orgID: buckets[0]?.orgID, permissions });
    const file = join(influxd.folder, `token${databases++}`);
    writeFileSync(file, token);
    return file;
  }

  describe('influxdb store at a 2.x', () => {
    it('makes the buckets, that of what is kept for ever with one shard', async () => {
      const config = configFor({ retentionDays: 30 });
      const store = createInfluxdbStore(config);
      await store.open();
      const found = (await bucketsOf(config.database)).map(({ name, retentionRules }) => ({ name, rule: retentionRules[0] }));
      // They come by id, which are random.
      expect(found.sort((a, b) => a.name.length - b.name.length)).toEqual([
        { name: config.database, rule: { type: 'expire', everySeconds: 2_592_000, shardGroupDurationSeconds: 86_400 } },
        { name: `${config.database}/kept`, rule: { type: 'expire', everySeconds: 0, shardGroupDurationSeconds: 8_640_000_000 } },
      ]);
      await store.close();
    });

    it('writes and reads with a token that may only do that with the two buckets', async () => {
      const config = configFor();
      const maker = createInfluxdbStore(config);
      await maker.open();
      await maker.close();
      const store = createInfluxdbStore({ ...config, tokenFile: await tokenFor(await bucketsOf(config.database), ['read', 'write']) });
      await store.open();
      await store.write(storeWrite(numbered(0, 100), at(1)));
      expect((await store.range({ machine, metric: 'A', fromMs: t0, toMs: t0 + 1000, limit: 1000 })).v).toHaveLength(100);
      expect(await store.open()).toEqual(at(1));
      await store.close();
    });

    it('says what a token may not, which buckets to make, and whom it does not know', async () => {
      const config = configFor();
      const first = (await bucketsOf('first')).slice(0, 1);
      const tokenFile = await tokenFor(first, ['read', 'write']);
      await expect(createInfluxdbStore({ ...config, tokenFile }).open()).rejects.toMatchObject({
        code: 'store.noBuckets',
        message: expect.stringContaining(
          `influx bucket create --name ${config.database}/kept --retention 0 --shard-group-duration 100000d`,
        ),
      });
      await expect(createInfluxdbStore({ ...config, organisation: 'nobody' }).open()).rejects.toMatchObject({
        code: 'store.noOrganisation',
      });
      await expect(createInfluxdbStore({ ...config, organisation: undefined }).open()).rejects.toMatchObject({
        code: 'store.noOrganisation',
      });
      writeFileSync(tokenFile, 'wrong');
      await expect(createInfluxdbStore({ ...config, tokenFile }).open()).rejects.toMatchObject({ code: 'store.denied' });
    });

    it('refuses a server that does not sync', async () => {
      const lazy = await startInfluxd(join(influxd.folder, 'lazy'), undefined, { 'storage-wal-fsync-delay': '100ms' });
      const store = createInfluxdbStore(configFor({ url: lazy.url, ...lazy.access }));
      await expect(store.open()).rejects.toMatchObject({ code: 'store.notDurable', message: expect.stringContaining('"100ms"') });
      await store.close();
      await lazy.stop();
    });
  });
}
