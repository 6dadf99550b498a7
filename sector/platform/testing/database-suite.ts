import { describe, expect, it } from 'vitest';
import type { Database } from '../database.ts';
import { migrate, migrations } from '../migrations/migrate.ts';

/** What every adapter promises. `database` is empty and stays open. */
export function describeDatabase(database: () => Database): void {
  describe('keeps the contract of a database', () => {
    it('gives values back as they were: bytes, texts, moments, large numbers, nulls, arrays', async () => {
      const bytes = Buffer.from([0, 1, 92, 39, 255]);
      const at = new Date('2026-03-01T00:00:00.123Z');
      const text = `Nhịp ' " \\ ; DROP TABLE x -- $1 {a,b}`;
      const [row] = await database().query(
        'SELECT $1::bytea AS bytes, $2::text AS text, $3::timestamptz AS at, $4::bigint AS big, $5::text AS nothing, $6::text[] AS texts, $7::bytea[] AS blobs',
        [bytes, text, at, 2 ** 52, null, [text, ''], [bytes, Buffer.alloc(0)]],
      );
      expect(row).toEqual({ bytes, text, at, big: 2 ** 52, nothing: null, texts: [text, ''], blobs: [bytes, Buffer.alloc(0)] });
      const rows = await database().query('SELECT * FROM unnest($1::int[], $2::bytea[], $3::timestamptz[]) AS t (a, b, c)', [
        [1, 2],
        [bytes, bytes],
        [at, at],
      ]);
      expect(rows).toEqual([1, 2].map((a) => ({ a, b: bytes, c: at })));
    });

    it('commits a transaction that resolves, and nothing of one that rejects', async () => {
      await database().query('CREATE TABLE IF NOT EXISTS suite (a int PRIMARY KEY)');
      await database().transaction((queries) => queries.query('INSERT INTO suite VALUES (1)'));
      const failing = database().transaction(async (queries) => {
        await queries.query('INSERT INTO suite VALUES (2)');
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      const twice = database().transaction(async (queries) => {
        await queries.query('INSERT INTO suite VALUES (3)');
        await queries.query('INSERT INTO suite VALUES (1)');
      });
      await expect(twice).rejects.toMatchObject({ code: '23505' });
      expect(await database().query('SELECT a FROM suite ORDER BY a')).toEqual([{ a: 1 }]);
    });

    it('runs many transactions at once without losing an update', async () => {
      await database().query('CREATE TABLE IF NOT EXISTS counter (n int)');
      await database().query('INSERT INTO counter VALUES (0)');
      const add = () =>
        database().transaction(async (queries) => {
          const [row] = await queries.query<{ n: number }>('SELECT n FROM counter FOR UPDATE');
          await queries.query('UPDATE counter SET n = $1', [(row?.n ?? 0) + 1]);
        });
      await Promise.all(Array.from({ length: 20 }, add));
      expect(await database().query('SELECT n FROM counter')).toEqual([{ n: 20 }]);
    });

    it('migrates once, however many ask, and refuses what it does not know', async () => {
      const applied = await Promise.all([migrate(database()), migrate(database()), migrate(database())]);
      expect(applied.toSorted()).toEqual([0, 0, migrations.length]);
      const [first] = migrations;
      if (first === undefined) throw new Error('no migrations');
      await expect(migrate(database(), [{ ...first, sql: 'SELECT 1' }])).rejects.toMatchObject({ code: 'sector.migrationChanged' });
      await expect(migrate(database(), [])).rejects.toMatchObject({ code: 'sector.newerDatabase' });
      const broken = { number: 99, name: 'broken', sql: 'CREATE TABLE half (a int); SELECT nothing_such()' };
      await expect(migrate(database(), [...migrations, broken])).rejects.toThrow();
      expect(await database().query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    });
  });
}
