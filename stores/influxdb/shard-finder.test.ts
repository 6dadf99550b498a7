import { PermanentError } from '@nhip/core/process/errors';
import { describe, expect, it } from 'vitest';
import type { InfluxServer, Series } from './influx-server.ts';
import { createShardFinder } from './shard-finder.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A Wednesday. */
const nowMs = Date.UTC(2026, 6, 15, 12, 30);

function serverThat(query: () => Promise<readonly (readonly Series[])[]>): InfluxServer {
  const never = (): never => {
    throw new Error('not asked for');
  };
  return { version: never, write: never, page: never, query };
}

describe('the shards of a server that does not list them', () => {
  const silent = serverThat(() => Promise.reject(new PermanentError('store.query', 'not implemented')));

  // By shardGroupDuration of InfluxDB (services/meta/data.go).
  it.each([
    [1, hourMs, Date.UTC(2026, 6, 15, 12)],
    [2, dayMs, Date.UTC(2026, 6, 15)],
    [179, dayMs, Date.UTC(2026, 6, 15)],
    [180, 7 * dayMs, Date.UTC(2026, 6, 13)],
    [undefined, 7 * dayMs, Date.UTC(2026, 6, 13)],
  ])('are, with a retention of %s days, %d ms long', async (retentionDays, lengthMs, fromMs) => {
    const shards = await createShardFinder(silent, { database: 'nhip', retentionDays }, nowMs);
    const of = (ms: number) => shards.find('samples', ms);
    expect(of(nowMs)).toBeDefined();
    expect([of(fromMs), of(fromMs + lengthMs - 1)]).toEqual([of(nowMs), of(nowMs)]);
    expect(of(fromMs - 1)).not.toBe(of(nowMs));
    expect(of(fromMs + lengthMs)).toBeUndefined();
    expect(shards.find('kept', 0)).toBeDefined();
  });
});

it('are those of our database that the server lists, each up to its end', async () => {
  const columns = ['id', 'database', 'retention_policy', 'shard_group', 'start_time', 'end_time', 'expiry_time', 'owners'];
  const row = (id: number, database: string, policy: string) => [
    id,
    database,
    policy,
    id,
    '2026-07-13T00:00:00Z',
    '2026-07-20T00:00:00Z',
    '',
    '',
  ];
  const values = [row(1, 'other', 'autogen'), row(2, 'nhip', 'autogen'), row(3, 'nhip', 'kept')];
  const listing = serverThat(async () => [[{ tags: {}, columns, values }]]);
  const shards = await createShardFinder(listing, { database: 'nhip', retentionDays: undefined }, nowMs);
  expect([shards.find('samples', nowMs), shards.find('kept', nowMs)]).toEqual(['2', '3']);
  expect(shards.find('samples', Date.UTC(2026, 6, 20))).toBeUndefined();
});
