import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import { type DeadLetter, encodeReplay } from '@nhip/core/telemetry/dead-letter';
import { bdSeq, logRecord, lossReport, namedIdentity, released, sparkplug, streamId } from '@nhip/core/telemetry/testing/messages';
import { decodeResend } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDeadLetters } from './dead-letters.ts';
import type { Ingest } from './ingest.ts';
import { createPlainStore } from './testing/plain-store.ts';
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

async function append(...records: readonly (LogRecord | Uint8Array)[]): Promise<void> {
  for (const record of records) await rig.logBus.append(record instanceof Uint8Array ? record : record.payload);
}

async function letters(): Promise<readonly DeadLetter[]> {
  const list = [];
  for await (const letter of listDeadLetters(rig.deadLetters)) list.push(letter);
  return list;
}

const nowMs = () => rig.clock.now();
const nbirth = () => sparkplug(0, 'NBIRTH', '', 0, [bdSeq(0), released(1, 0)], { receivedMs: nowMs() });
const birth = (...names: readonly string[]) => {
  const metrics = names.map((name, i) => ({ name, alias: 2 + i, dataType: dataType.Double, value: null }));
  return sparkplug(0, 'DBIRTH', 'd', undefined, metrics, { receivedMs: nowMs() });
};
const ddata = (...metrics: readonly Metric[]) =>
  sparkplug(0, 'DDATA', 'd', undefined, metrics, { receivedMs: nowMs(), timestampMs: nowMs() });
const ndata = (...metrics: readonly Metric[]) => sparkplug(0, 'NDATA', '', undefined, metrics, { receivedMs: nowMs() });
const replayOf = (letter: DeadLetter | undefined, force = false) => {
  if (letter === undefined) throw new Error('no letter');
  return encodeReplay({ letter, force }, nowMs());
};
const everything = { fromMs: 0, toMs: 4e12, limit: 100 };
const totals = async () => (await rig.store.lossTotals()).map(({ edge, reason, samples }) => [edge, reason, samples]);

async function delivered(metric: string) {
  const rows = (await rig.store.delivery('g/e/d', 0, 4e12)).filter((row) => row.metric === metric);
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  return [sum((row) => row.stored), sum((row) => row.lost), sum((row) => row.deadLettered)];
}

describe('losses', () => {
  it('of an edge are in the store with the samples, by metric and hour, and in the figures', async () => {
    const row = { device: 'd', metric: 'A', samples: 3, fromMs: nowMs(), toMs: nowMs() };
    const report = { ledger: 'ab'.repeat(16), no: 0, reason: 'outboxQuota' as const, stream: streamId(1), seqFrom: 1, seqTo: 5 };
    await append(nbirth(), birth('A'), ddata(namedIdentity(1, 0), { alias: 2, value: 1 }));
    await append(ndata(lossReport({ ...report, fromMs: nowMs(), toMs: nowMs(), rows: [row] })));
    const ingest = await start();
    await stored(ingest, rig.logBus);
    expect(await delivered('A')).toEqual([1, 3, 0]);
    expect(await totals()).toEqual([['g/e', 'outboxQuota', 4]]);
    expect(ingest.stats()).toMatchObject({ received: 2, stored: 2, lost: 4, lostByReason: { outboxQuota: 4 }, deadLettered: 0 });
  });

  it('of the log are told without a number, and the edge is asked for what it released', async () => {
    const asked: object[] = [];
    const gap: LogBus = {
      ...rig.logBus,
      read: async (index, options) => (await rig.logBus.read(index, options)).filter((record) => record.index !== 2),
    };
    await append(nbirth(), birth('A'), ddata(namedIdentity(1, 0), { alias: 2, value: 1 }), ndata(released(1, 1)));
    const ingest = await start({
      logBus: gap,
      sendNodeCommand: (_, __, payload) => {
        for (const { value } of decodePayload(payload).metrics) if (value instanceof Uint8Array) asked.push(decodeResend(value));
      },
    });
    await stored(ingest, rig.logBus);
    expect(await rig.store.losses(everything)).toMatchObject([
      { edge: '', reason: 'logGone', samples: 0, detail: '1 records of the log from 2 on' },
    ]);
    expect(asked).toEqual([{ stream: streamId(1), from: 0, to: 1 }]);
    expect(ingest.stats()).toMatchObject({ missedRecords: 1, resendsRequested: 1, lost: 0, lostByReason: { logGone: 0 } });
  });

  it('are noted when the log was replaced by another', async () => {
    await append(nbirth(), birth('A'));
    const first = await start();
    await stored(first, rig.logBus);
    await stop(first);
    await rig.replaceLog();
    await append(nbirth());
    await stored(await start(), rig.logBus);
    expect(await rig.store.losses(everything)).toMatchObject([
      { reason: 'logGone', samples: 0, detail: 'the log was replaced by another' },
    ]);
  });

  it('hold nothing back: since when the store is down is a figure', async () => {
    const store = createPlainStore();
    store.failures.push('before', 'before');
    const ingest = await start({ store });
    expect(ingest.stats().storeDownSinceMs).toBeNull();
    await append(nbirth());
    await until('the store is down', () => ingest.stats().storeDownSinceMs !== null);
    expect(ingest.stats().storeDownSinceMs).toBeLessThanOrEqual(nowMs());
    await stored(ingest, rig.logBus);
    expect(ingest.stats().storeDownSinceMs).toBeNull();
  });
});

describe('dead letters', () => {
  it('are counted by metric, and taken back when they are replayed, once', async () => {
    await append(nbirth(), birth('A'));
    await append(
      ddata(namedIdentity(1, 0), { alias: 2, value: 1 }, { alias: 3, value: 2 }, { alias: 2, value: Number.NaN }, { alias: 3, value: 4 }),
    );
    const ingest = await start();
    await stored(ingest, rig.logBus);
    expect([await delivered('A'), await delivered('')]).toEqual([
      [1, 0, 1],
      [0, 0, 2],
    ]);
    const unknown = (await letters()).find(({ reason }) => reason === 'unknownMetric');
    await append(replayOf(unknown), birth('A', 'B'), replayOf(unknown), replayOf(unknown));
    await stored(ingest, rig.logBus);
    expect([await delivered('A'), await delivered(''), await delivered('B')]).toEqual([
      [1, 0, 1],
      [0, 0, 0],
      [2, 0, 0],
    ]);
    await stop(ingest);
    await append(replayOf(unknown, true));
    await stored(await start(), rig.logBus);
    expect(await delivered('B')).toEqual([2, 0, 0]);
    expect(ingest.stats()).toMatchObject({ received: 5, stored: 2, deadLettered: 3, replayed: 2 });
    expect(await totals()).toEqual([['g/e', 'deadLettered', 1]]);
  });

  it('without numbers come back once, too, and in parts when only a part can', async () => {
    await append(logRecord(0, 'json/g/e/d', '{"ts":5,"values":{"A":1,"B":2}}', nowMs()));
    const ingest = await start();
    await stored(ingest, rig.logBus);
    const [letter] = await letters();
    await append(replayOf(letter), replayOf(letter, true), replayOf(letter, true));
    await stored(ingest, rig.logBus);
    expect([await delivered('A'), await delivered('B')]).toEqual(
      [
        [1, 0, 0],
        [1, 0, 0],
      ].map(([s, l]) => [s, l, 0]),
    );
    expect(ingest.stats().replayed).toBe(2);
  });

  it('of a message that this store never read take nothing back, and what came again is not stored twice', async () => {
    const early = ddata(namedIdentity(1, 0), { alias: 2, value: 1 }, { alias: 2, value: 2 });
    await append(early);
    const other = createPlainStore();
    const first = await start({ store: other });
    await stored(first, rig.logBus);
    await stop(first);
    const [letter] = await letters();
    await rig.replaceLog();
    await append(nbirth(), birth('A'), ddata(namedIdentity(1, 0), { alias: 2, value: 1 }), replayOf(letter), replayOf(letter));
    await append(ddata(namedIdentity(1, 0), { alias: 2, value: 1 }, { alias: 2, value: 2 }));
    await stored(await start(), rig.logBus);
    expect(await delivered('A')).toEqual([2, 0, 0]);
    expect(await totals()).toEqual([]);
  });
});

describe('samples that the store refuses', () => {
  it('are dead letters and losses beside the rest, however often the write is tried, and come back when the store takes them', async () => {
    const store = createPlainStore();
    store.refuses.add(2).add('x');
    store.failures.push('before', 'after');
    const values = { A: 1, B: 2, C: 'x', D: 4 };
    const ingest = await start({ store });
    await append(logRecord(0, 'json/g/e/d', JSON.stringify({ values }), nowMs()));
    await stored(ingest, rig.logBus);
    expect(store.content.rows.map(({ v }) => v)).toEqual([1, 4]);
    expect(store.content.losses.map(({ reason, detail, metric, samples }) => [reason, detail, metric, samples])).toEqual([
      ['deadLettered', 'storeRefused', 'B', 1],
      ['deadLettered', 'storeRefused', 'C', 1],
    ]);
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(rig.deadLetters.stats().nextIndex).toBe(1);
    expect(letter).toMatchObject({ reason: 'storeRefused', samples: 2, sourceIndex: 0, part: 1 });
    expect(ingest.stats()).toMatchObject({ received: 4, stored: 2, deadLettered: 2, deadLetteredByReason: { storeRefused: 2 } });
    store.refuses.clear();
    await append(replayOf(letter), replayOf(letter));
    await stored(ingest, rig.logBus);
    expect(store.content.rows.map(({ v }) => v)).toEqual([1, 4, 2, 'x']);
    expect(store.content.losses.reduce((sum, { samples }) => sum + samples, 0)).toBe(0);
  });

  it('and are refused again when they come back are counted once, and not as stored', async () => {
    const store = createPlainStore();
    store.refuses.add(2);
    const ingest = await start({ store });
    const message = (values: object) => logRecord(0, 'json/g/e/d', JSON.stringify({ values }), nowMs());
    await append(message({ B: 2 }), message({ B: 2 }));
    await stored(ingest, rig.logBus);
    const before = await letters();
    store.failures.push('before', 'after');
    await append(replayOf(before[0]), message({ A: 1, B: 2 }), replayOf(before[1]));
    await stored(ingest, rig.logBus);
    expect(store.content.rows.map(({ v }) => v)).toEqual([1]);
    const counted = { received: 4, stored: 1, deadLettered: 3, deadLetteredByReason: { storeRefused: 3 } };
    expect(ingest.stats()).toMatchObject({ ...counted, replayed: 0 });
    expect(store.content.losses.reduce((sum, { samples }) => sum + samples, 0)).toBe(3);
    store.refuses.clear();
    await append(...(await letters()).map((letter) => replayOf(letter)));
    await stored(ingest, rig.logBus);
    expect(store.content.rows.map(({ v }) => v)).toEqual([1, 2, 2, 2]);
    expect(ingest.stats()).toMatchObject({ ...counted, replayed: 3 });
  });

  it('hold everything back while they cannot be kept', async () => {
    const store = createPlainStore();
    store.refuses.add(1);
    let isFull = true;
    const deadLetters: LogBus = {
      ...rig.deadLetters,
      append: (payload) => (isFull ? Promise.reject(new Error('no room')) : rig.deadLetters.append(payload)),
    };
    const ingest = await start({ store, deadLetters });
    await append(logRecord(0, 'json/g/e/d', '{"values":{"A":1,"B":2}}', nowMs()));
    await until('the write failed', () => ingest.stats().storeDownSinceMs !== null);
    expect(store.content.checkpoint).toBeUndefined();
    isFull = false;
    await stored(ingest, rig.logBus);
    expect(store.content.rows.map(({ v }) => v)).toEqual([2]);
    expect(await letters()).toHaveLength(1);
  });
});
