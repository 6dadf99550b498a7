import type { LogBus } from '@nhip/core/log/log-bus';
import { RetryableError } from '@nhip/core/process/errors';
import { bdSeq, identity, identityDeclaration, logRecord, sparkplug } from '@nhip/core/telemetry/testing/messages';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { HistoryStore } from '@nhip/stores/history-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDeadLetters } from './dead-letters.ts';
import type { Ingest } from './ingest.ts';
import { createRig, type Rig, stored, until } from './testing/rig.ts';

let rig: Rig;
let running: Ingest[] = [];

beforeEach(async () => {
  rig = await createRig();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((ingest) => ingest.stop()));
  await rig.close();
});

async function start(options: Parameters<Rig['start']>[0] = {}): Promise<Ingest> {
  const ingest = await rig.start(options);
  running.push(ingest);
  return ingest;
}

async function stop(ingest: Ingest): Promise<void> {
  await ingest.stop();
  running = running.filter((other) => other !== ingest);
}

const nbirth = sparkplug(0, 'NBIRTH', '', 0, [bdSeq(0)]).payload;
const dbirth = sparkplug(0, 'DBIRTH', 'd', 1, [
  identityDeclaration(1),
  { name: 'A', alias: 2, dataType: dataType.Double, value: null },
]).payload;

/** DATA of the outbox `stream`: `count` samples numbered from `seq`, each with its number as value. */
function data(seq: number, count: number, stream = 1): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => ({ alias: 2, value: seq + i }));
  return sparkplug(0, 'DDATA', 'd', undefined, [identity(1, stream, seq), ...values], { receivedMs: rig.clock.now() }).payload;
}

function json(body: string, receivedMs = rig.clock.now()): Uint8Array {
  return logRecord(0, 'json/g/e/d', body, receivedMs).payload;
}

async function append(...payloads: readonly Uint8Array[]): Promise<void> {
  await Promise.all(payloads.map((payload) => rig.logBus.append(payload)));
}

async function valuesOf(metric: string): Promise<readonly unknown[]> {
  const { v } = await rig.store.range({ machine: 'g/e/d', metric, fromMs: 0, toMs: 4e12, limit: 100_000 });
  return [...v].sort((a, b) => Number(a) - Number(b));
}

async function letters() {
  const list = [];
  for await (const letter of listDeadLetters(rig.deadLetters)) list.push(letter);
  return list;
}

/** The real store behind a line that fails: `before` rejects without writing, `after` writes and then rejects. */
function failing(plan: ('before' | 'after' | 'works')[]): HistoryStore & { readonly attempts: () => number } {
  let attempts = 0;
  return {
    ...rig.store,
    attempts: () => attempts,
    async write(write) {
      const step = plan[attempts++] ?? 'works';
      if (step === 'before') throw new RetryableError('store.writeFailed', 'the line is down');
      await rig.store.write(write);
      if (step === 'after') throw new RetryableError('store.writeFailed', 'the answer was lost');
    },
  };
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('ingest', () => {
  it('stores each number once: whole repeats, partial repeats, gaps that are filled later', async () => {
    await append(nbirth, dbirth, data(0, 5), data(0, 5), data(3, 4), data(20, 2), data(5, 16), data(0, 30));
    const ingest = await start();
    await stored(ingest, rig.logBus);
    expect(await valuesOf('A')).toEqual(numbers(0, 30));
    const stats = ingest.stats();
    expect(stats).toMatchObject({ received: 63, stored: 31, repeated: 32, deadLettered: 0, missedRecords: 0 });
  });

  it('tells streams and edges apart', async () => {
    const other = sparkplug(
      0,
      'NBIRTH',
      '',
      0,
      [bdSeq(0), identityDeclaration(1), { name: 'A', alias: 2, dataType: dataType.Double, value: 0 }],
      {
        edge: 'f',
      },
    );
    const otherData = sparkplug(0, 'NDATA', '', 1, [identity(1, 1, 0), { alias: 2, value: 7 }], { edge: 'f' });
    await append(nbirth, dbirth, data(0, 3), data(0, 3, 2), other.payload, otherData.payload);
    await stored(await start(), rig.logBus);
    expect(await valuesOf('A')).toEqual([0, 0, 1, 1, 2, 2]);
    expect((await rig.store.range({ machine: 'g/f/_node', metric: 'A', fromMs: 0, toMs: 4e12, limit: 9 })).v).toEqual([7]);
  });

  it('goes on after a restart with the births and the numbers that it knew', async () => {
    await append(nbirth, dbirth, data(0, 3));
    const first = await start();
    await stored(first, rig.logBus);
    await stop(first);
    await append(data(2, 3), data(0, 5));
    const second = await start();
    await stored(second, rig.logBus);
    expect(await valuesOf('A')).toEqual(numbers(0, 5));
    expect(second.stats()).toMatchObject({ received: 8, stored: 2, repeated: 6 });
  });

  it('starts at the beginning of another log, and does not skip a batch that ends where the old log stood', async () => {
    await append(nbirth, dbirth, data(0, 3));
    const first = await start();
    await stored(first, rig.logBus);
    await stop(first);
    await rig.replaceLog();
    await append(data(1, 4), data(5, 1), data(6, 1));
    const second = await start();
    expect(second.checkpoint()?.nextIndex).toBe(0);
    await until('the new log is stored', () => second.stats().batches > 0);
    await stored(second, rig.logBus);
    expect(await valuesOf('A')).toEqual(numbers(0, 7));
  });

  it('reads on when the log was put back to an older copy of itself', async () => {
    await append(nbirth, dbirth);
    const first = await start();
    await stored(first, rig.logBus);
    await stop(first);
    const checkpoint = await rig.store.open();
    if (checkpoint === undefined) throw new Error('no checkpoint');
    const ahead: HistoryStore = { ...rig.store, open: async () => ({ ...checkpoint, nextIndex: 1000 }) };
    const second = await start({ store: ahead });
    await append(data(0, 2));
    await stored(second, rig.logBus);
    expect(await valuesOf('A')).toEqual([0, 1]);
  });

  it('does not give values to the metric that an alias meant before births that are gone', async () => {
    const metricB = { name: 'B', alias: 2, dataType: dataType.Double, value: null };
    const other = sparkplug(0, 'DBIRTH', 'd', 1, [identityDeclaration(1), metricB]).payload;
    await append(nbirth, dbirth, data(0, 1), nbirth, other, data(1, 2));
    const gone = new Set([3, 4]);
    const read: LogBus['read'] = async (index, options) =>
      (await rig.logBus.read(index, options)).filter((record) => !gone.has(record.index));
    const ingest = await start({ logBus: { ...rig.logBus, read } });
    await stored(ingest, rig.logBus);
    expect(await valuesOf('A')).toEqual([0]);
    expect(ingest.stats()).toMatchObject({ stored: 2, missedRecords: 2 });
    expect(ingest.stats().deadLettered).toBeGreaterThan(0);
    await append(nbirth, other, data(3, 1));
    await stored(ingest, rig.logBus);
    expect(await valuesOf('B')).toEqual([3]);
  });

  it('tries a store that fails again, and neither loses nor doubles anything', async () => {
    await append(nbirth, dbirth, data(0, 3), json('{"values":{"J":1}}'));
    const store = failing(['before', 'before', 'after', 'before']);
    const ingest = await start({ store });
    await stored(ingest, rig.logBus);
    expect(await valuesOf('A')).toEqual([0, 1, 2]);
    expect(await valuesOf('J')).toEqual([1]);
    expect(store.attempts()).toBe(3);
    expect(ingest.stats()).toMatchObject({ received: 5, stored: 5, repeated: 0, batches: 1 });
  });

  it('leaves a store alone for as long as it asks', async () => {
    await append(nbirth, dbirth, data(0, 3));
    const pauses: number[] = [];
    const clock = {
      ...rig.clock,
      sleep(delayMs: number, signal?: AbortSignal) {
        pauses.push(delayMs);
        return rig.clock.sleep(Math.min(delayMs, 1), signal);
      },
    };
    let attempts = 0;
    const busy: HistoryStore = {
      ...rig.store,
      async write(write) {
        const retryAfterMs = [30_000, 86_400_000][attempts++];
        if (retryAfterMs !== undefined) throw new RetryableError('store.busy', 'come again later', { retryAfterMs });
        await rig.store.write(write);
      },
    };
    await stored(await start({ store: busy, clock }), rig.logBus);
    expect(attempts).toBe(3);
    expect(pauses).toEqual(expect.arrayContaining([30_000, 300_000]));
    expect(await valuesOf('A')).toEqual([0, 1, 2]);
  });

  it('does not store a batch after one that it had to give up at the stop', async () => {
    await append(nbirth, dbirth, data(0, 2));
    const plan = failing(['before', 'before']);
    const ingest = await start({ store: plan });
    await until('the first try failed', () => plan.attempts() === 1);
    await append(data(2, 2));
    await until('the next batch is decoded', () => ingest.stats().nextIndex === 4);
    await stop(ingest);
    expect(plan.attempts()).toBe(2);
    const next = await start();
    await stored(next, rig.logBus);
    expect(await valuesOf('A')).toEqual([0, 1, 2, 3]);
  });

  it('does not write a batch again because the cursor of the log could not be moved', async () => {
    let commits = 0;
    const stuck: LogBus = {
      ...rig.logBus,
      commit: async () => {
        commits++;
        throw new RetryableError('log.diskFull', 'no room');
      },
    };
    await append(json('{"values":{"J":1}}'));
    const ingest = await start({ logBus: stuck });
    await stored(ingest, rig.logBus);
    await append(json('{"values":{"J":2}}'));
    await stored(ingest, rig.logBus);
    await stop(ingest);
    expect(commits).toBe(2);
    expect(await valuesOf('J')).toEqual([1, 2]);
  });

  it('goes on when the log could not be read for a moment', async () => {
    let failures = 0;
    const shaky: LogBus = {
      ...rig.logBus,
      read: (index, options) => {
        if (failures++ === 0) return Promise.reject(new RetryableError('log.readFailed', 'EIO'));
        return rig.logBus.read(index, options);
      },
    };
    const impatient = { ...rig.clock, sleep: (_: number, signal?: AbortSignal) => rig.clock.sleep(0, signal) };
    await append(json('{"values":{"J":1}}'));
    const ingest = await start({ logBus: shaky, clock: impatient });
    await stored(ingest, rig.logBus);
    expect(await valuesOf('J')).toEqual([1]);
  });

  it('cannot be stopped by one message, however bad', async () => {
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;
    const absurd = sparkplug(0, 'DDEATH', 'd', 2, [], { timestampMs: 2 ** 62 }).payload;
    await append(
      nbirth,
      dbirth,
      json(`{"values":{"a":${deep}}}`),
      absurd,
      json('{"values":{"t":"a\\u0000b\\ud800"}}'),
      Uint8Array.of(9, 9),
      data(0, 1),
    );
    const ingest = await start();
    await stored(ingest, rig.logBus);
    expect(await valuesOf('A')).toEqual([0]);
    expect(await rig.store.latest()).toHaveLength(3);
    expect(ingest.stats().deadLetteredByReason).toEqual({ malformedPayload: 2 });
  });
});

describe('dead letters', () => {
  const bad = '{"ts":5,"values":{"a":1,"b":2}}';

  it('are on disk before the checkpoint moves past the message, and listed once after a restart', async () => {
    await append(json(bad), json('no json'), json('{"values":{"J":1}}'));
    const down = failing(['before', 'before', 'before', 'before', 'before', 'before', 'before', 'before']);
    const first = await start({ store: down });
    await until('a write failed', () => down.attempts() > 0);
    expect(await letters()).toHaveLength(2);
    await stop(first);
    expect(rig.deadLetters.stats().nextIndex).toBe(2);
    const second = await start();
    await stored(second, rig.logBus);
    await stop(second);
    await stored(await start(), rig.logBus);
    expect(rig.deadLetters.stats().nextIndex).toBe(4);
    expect((await letters()).map(({ reason, samples, sourceIndex }) => [reason, samples, sourceIndex])).toEqual([
      ['timestampOutOfRange', 2, 0],
      ['malformedPayload', 1, 1],
    ]);
    expect(await valuesOf('J')).toEqual([1]);
    expect(second.stats()).toMatchObject({ received: 4, stored: 1, deadLettered: 3 });
  });

  it('that could not be written hold the batch back; those that could are not written twice', async () => {
    let appends = 0;
    const shaky: LogBus = {
      ...rig.deadLetters,
      append: (payload) =>
        ++appends === 2 ? Promise.reject(new RetryableError('log.diskFull', 'no room')) : rig.deadLetters.append(payload),
    };
    await append(json(bad), json('x'), json('{"values":{"J":1}}'));
    const ingest = await start({ deadLetters: shaky });
    await stored(ingest, rig.logBus);
    expect(appends).toBe(3);
    expect(rig.deadLetters.stats().nextIndex).toBe(2);
    expect(await valuesOf('J')).toEqual([1]);
  });

  it('of a message that is sent again are not kept again', async () => {
    const mixed = sparkplug(0, 'DDATA', 'd', undefined, [identity(1, 1, 0), { alias: 2, value: 1 }, { alias: 2, value: Number.NaN }], {
      receivedMs: rig.clock.now(),
    }).payload;
    await append(nbirth, dbirth, mixed, mixed);
    const ingest = await start();
    await stored(ingest, rig.logBus);
    expect(ingest.stats()).toMatchObject({ received: 5, stored: 2, repeated: 2, deadLettered: 1 });
    expect(await letters()).toMatchObject([{ reason: 'notANumber', sourceIndex: 2 }]);
  });

  it('in great number are written in portions', async () => {
    const big = json(`{"ts":5,"values":{"a":"${'x'.repeat(200_000)}"}}`);
    for (let i = 0; i < 60; i++) await rig.logBus.append(big);
    const ingest = await start({ config: { commitIntervalMs: 60_000 } });
    await until('all but the last portion is written', () => ingest.stats().deadLettered >= 40);
    expect(ingest.stats().batches).toBeGreaterThan(1);
    await stop(ingest);
    expect(rig.deadLetters.stats().nextIndex).toBe(60);
  });
});

describe('rebirth requests', () => {
  const orphan = () => sparkplug(0, 'DDATA', 'd', 5, [{ alias: 9, value: 1 }], { receivedMs: rig.clock.now() }).payload;

  it('go to the edge once per quiet time, and not for old messages', async () => {
    const asked: string[] = [];
    const old = sparkplug(0, 'DDATA', 'd', 5, [{ alias: 9, value: 1 }], { receivedMs: rig.clock.now() - 31_000, edge: 'old' }).payload;
    let nowMs = 0;
    const clock = { ...rig.clock, monotonic: () => nowMs };
    const ingest = await start({ clock, sendNodeCommand: (group, edge) => asked.push(`${group}/${edge}`) });
    await append(old, orphan(), orphan(), orphan());
    await stored(ingest, rig.logBus);
    expect(asked).toEqual(['g/e']);
    nowMs = 5001;
    await append(orphan());
    await stored(ingest, rig.logBus);
    expect(asked).toEqual(['g/e', 'g/e']);
    expect(ingest.stats()).toMatchObject({ rebirthsRequested: 2, resendsRequested: 0 });
  });
});

describe('lag', () => {
  it('is the age of what is not stored, and 0 when all is', async () => {
    const store = failing(['before', 'before']);
    const ingest = await start({ store });
    await append(json('{"values":{"J":1}}', rig.clock.now() - 60_000));
    await until('the write failed', () => store.attempts() === 1);
    expect(ingest.stats().lagMs).toBeGreaterThanOrEqual(60_000);
    await stored(ingest, rig.logBus);
    await until('the lag is gone', () => ingest.stats().lagMs === 0);
  });
});
