import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../test/harness/free-port.ts';
import { until } from '../../test/harness/until.ts';
import type { Checkpoint, RefusedSample, StoreWrite } from '../history-store.ts';
import { encodeName } from '../influxdb/line-protocol.ts';
import type { ParsedPoint } from '../influxdb/testing/parse-line-protocol.ts';
import { batchOf } from '../testing/batch-of.ts';
import { storeWrite } from '../testing/store-write.ts';
import { sampleStoreSuite } from '../testing/write-suite.ts';
import { influxdb3Config } from './config.ts';
import { createInfluxdb3Store, durableAfterMs, influxdb3Cannot } from './influxdb3-store.ts';
import { type FakeInfluxdb3, startFakeInfluxdb3 } from './testing/fake-influxdb3.ts';

const t0 = Date.UTC(2026, 0, 5, 8);
const dir = mkdtempSync(join(tmpdir(), 'nhip-influxdb3-'));
afterAll(() => rmSync(dir, { recursive: true }));
let server: FakeInfluxdb3;
let stores = 0;
beforeEach(async () => {
  server = await startFakeInfluxdb3();
});
afterEach(() => server.close());

function made(change: object = {}, clock: SimClock = createSimClock(Date.now())) {
  const config = influxdb3Config.parse({ type: 'influxdb3', url: server.url, ...change });
  const place = { disk: createNodeEnv(dir).disk, folder: `place-${stores++}` };
  const make = () => createInfluxdb3Store(config, { clock, place });
  return { store: make(), reopen: make, clock };
}

const at = (nextIndex: number): Checkpoint => ({ nextIndex, decoder: Uint8Array.of(1, 2), repeats: Uint8Array.of(nextIndex) });

function numbered(machine: string, from: number, to: number): SampleBatch {
  return batchOf(
    machine,
    Array.from({ length: to - from }, (_, i) => ['A', t0 + from + i, from + i] as const),
    undefined,
    from,
  );
}

/** A write that may be refused in part, and what was. */
function refusable(batch: SampleBatch, checkpoint: Checkpoint): { write: StoreWrite; handed: RefusedSample[] } {
  const handed: RefusedSample[] = [];
  const keepRefused = async (refused: readonly RefusedSample[]) => {
    handed.push(...refused);
    return [];
  };
  return { write: { ...storeWrite(batch, checkpoint), keepRefused }, handed };
}

function sampleValue(fields: ParsedPoint['fields']): Value {
  const found = Object.fromEntries(fields.map(([key, value]) => [key, Object.values(value)[0]]));
  if ('n' in found) return null;
  if ('i' in found) return BigInt(found.i);
  return found.b ?? found.s ?? found.v;
}

const samplesOf = (machine: string, metric = 'A') =>
  server
    .points({ machine: encodeName(machine), metric: encodeName(metric) })
    .map(([time, fields]) => ({ t: Number(time / 1_000_000n), v: sampleValue(fields) }));
const valuesOf = (machine: string, metric?: string) => samplesOf(machine, metric).map(({ v }) => v);

sampleStoreSuite(
  'influxdb3',
  influxdb3Cannot,
  () => {
    const { store, reopen, clock } = made();
    return {
      store,
      reopen,
      dispose: () => store.close(),
      settle: () => clock.advance(durableAfterMs),
      samplesOf: async (machine, metric) => samplesOf(machine, metric),
    };
  },
  { many: 50_000 },
);

describe('influxdb3 store, against the documented answers', () => {
  it('asks for writes that are taken whole or not at all and are answered when they are in the object store', async () => {
    const tokenFile = join(dir, 'token');
    writeFileSync(tokenFile, 'apiv3_secret\n');
    const guarded = await startFakeInfluxdb3({ token: 'apiv3_secret' });
    const { store } = made({ url: guarded.url, tokenFile, retentionDays: 30, database: 'works' });
    await store.open();
    await store.write(storeWrite(numbered('m', 0, 10), at(1)));
    expect([...guarded.seen.writes]).toEqual(['db=works&precision=nanosecond&accept_partial=false&no_sync=false']);
    expect(guarded.databases.get('works')).toEqual({ retention: '30d' });
    expect([...guarded.seen.authorizations]).toEqual(['Token apiv3_secret']);
    await store.close();
    await expect(made({ url: guarded.url }).store.open()).rejects.toMatchObject({ code: 'store.denied' });
    await guarded.close();
  });

  it('moves the checkpoint when its time has passed, and is set back by a crash: what is younger is written again, once', async () => {
    const { store, reopen, clock } = made();
    const durable = (nextIndex: number) =>
      until(`checkpoint ${nextIndex}`, async () => {
        await clock.advance(5000);
        return (await store.open())?.nextIndex === nextIndex;
      });
    await store.open();
    await store.write(storeWrite(numbered('m', 0, 100), at(1)));
    await clock.advance(durableAfterMs - 1);
    expect(await store.open()).toBeUndefined();
    server.sync();
    await durable(1);
    await store.write(storeWrite(numbered('m', 100, 200), at(2)));
    server.crash();
    expect(valuesOf('m')).toHaveLength(100);
    await until('it is set back', async () => {
      await clock.advance(5000);
      return store.isSetBack?.();
    });
    await clock.advance(2 * durableAfterMs);
    expect((await store.open())?.nextIndex).toBe(1);
    await store.close();
    const again = reopen();
    expect((await again.open())?.nextIndex).toBe(1);
    await again.write(storeWrite(numbered('m', 100, 300), at(3)));
    await again.write(storeWrite(numbered('m', 150, 300), at(3)));
    expect(valuesOf('m')).toEqual(Array.from({ length: 300 }, (_, n) => n));
    await again.close();
  });

  it('begins anew in another database', async () => {
    const { store, clock } = made();
    await store.open();
    await store.write(storeWrite(numbered('m', 0, 1), at(1)));
    await until('it is durable', async () => {
      await clock.advance(5000);
      return (await store.open())?.nextIndex === 1;
    });
    await store.close();
    const place = { disk: createNodeEnv(dir).disk, folder: `place-${stores - 1}` };
    const other = createInfluxdb3Store(influxdb3Config.parse({ type: 'influxdb3', url: server.url, database: 'other' }), { clock, place });
    expect(await other.open()).toBeUndefined();
    await other.close();
  });

  it('finds the samples that it will never take, hands them over with what the server says, and writes the others', async () => {
    const { store } = made();
    await store.open();
    server.limits.columns = 5;
    const rows = Array.from({ length: 50 }, (_, i) => ['A', t0 + i, i === 17 ? true : i === 30 ? 'text' : i] as const);
    const { write, handed } = refusable(batchOf('m', rows), at(1));
    await store.write(write);
    // machine, metric, time, v and one more.
    expect(handed).toEqual([{ row: 30, reason: expect.stringMatching(/columns per table limit of 5/) }]);
    expect(valuesOf('m')).toHaveLength(49);
    const wrong = refusable(batchOf('n', [['A', Number.NaN, 1] as const, ['A', t0, 2] as const]), at(2));
    await store.write(wrong.write);
    expect(wrong.handed).toMatchObject([{ row: 0 }]);
    expect(valuesOf('n')).toEqual([2]);
    await store.close();
  });

  it('takes a refused schema for what it says, also of what went ahead', async () => {
    const { store } = made();
    await store.open();
    const typed = await fetch(`${server.url}/api/v3/write_lp?db=nhip`, { method: 'POST', body: 'samples,machine=x,metric=y s=1 1' });
    expect(typed.status).toBe(204);
    const batch = batchOf('m', [['A', t0, 'text'] as const, ['A', t0 + 1, 1] as const]);
    store.ahead?.(batch);
    const { write, handed } = refusable(batch, at(1));
    await store.write(write);
    expect(handed).toEqual([{ row: 0, reason: expect.stringContaining("invalid column type for column 's', expected float") }]);
    expect(valuesOf('m')).toEqual([1]);
    await store.close();
  });

  it('gives nothing up when the server takes no table, and cuts bodies that are too large', async () => {
    const { store } = made();
    await store.open();
    server.limits.tables = 0;
    const { write, handed } = refusable(numbered('m', 0, 1000), at(1));
    await expect(store.write(write)).rejects.toMatchObject({
      code: 'store.refusesAll',
      message: expect.stringContaining('tables per database'),
    });
    expect(handed).toEqual([]);
    server.limits.tables = 2000;
    server.limits.bodyBytes = 5000;
    await store.write(write);
    expect(valuesOf('m')).toHaveLength(1000);
    expect(handed).toEqual([]);
    await store.close();
  });

  it.each([
    [{ status: 500, body: '{"error":"error writing to WAL: object store"}' }, { code: 'store.busy' }],
    [{ status: 500, body: 'Generic LocalFileSystem error: No space left on device (os error 28)' }, { code: 'store.diskFull' }],
    [
      { status: 503, headers: { 'retry-after': '7' } },
      { code: 'store.busy', retryAfterMs: 7000 },
    ],
    [{ status: 429 }, { code: 'store.busy' }],
    [{ status: 404, body: 'database not found' }, { code: 'store.noDatabase' }],
    [{ status: 401, body: '{"error": "the request was not authenticated"}' }, { code: 'store.denied' }],
    ['silent', { code: 'store.unanswered' }],
  ] as const)('says what is wrong after %j and goes on when it is over', async (fault, expected) => {
    // Near only where it is waited for: a busy machine takes a second for an answer now and then.
    const { store } = made(fault === 'silent' ? { requestTimeoutMs: 1000 } : {});
    await store.open();
    server.fault = fault;
    const write = storeWrite(numbered('m', 0, 10), at(1));
    await expect(store.write(write)).rejects.toMatchObject(expected);
    server.fault = undefined;
    await store.write(write);
    expect(valuesOf('m')).toHaveLength(10);
    await store.close();
  });

  it('opens on nothing but InfluxDB 3, and says what to do', async () => {
    const refusal = async (change: object = {}) => made(change).store.open();
    server.ping.version = '2.7.1';
    await expect(refusal()).rejects.toMatchObject({ code: 'store.notInfluxdb3', message: expect.stringContaining('use type: influxdb') });
    server.ping.version = '';
    await expect(refusal()).rejects.toMatchObject({ code: 'store.notInfluxdb3', message: expect.stringContaining('correct its url') });
    server.ping.version = '3.0.1';
    server.ping.body.process_id = undefined;
    await expect(refusal()).rejects.toMatchObject({ code: 'store.notInfluxdb3', message: expect.stringContaining('process_id') });
    server.ping.body.process_id = 'p';
    for (let n = 0; n < 5; n++) server.databases.set(`other-${n}`, { retention: undefined });
    await expect(refusal()).rejects.toMatchObject({ code: 'store.noDatabase', message: expect.stringContaining('limit of 5 databases') });
    server.mayAdminister = false;
    const { store } = made();
    await store.open();
    await store.close();
    await expect(refusal({ url: `http://127.0.0.1:${await freePort()}` })).rejects.toMatchObject({ code: 'store.unreachable' });
  });
});
