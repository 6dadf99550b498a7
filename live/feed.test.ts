import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createDecoder } from '@nhip/core/telemetry/decoder';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { encodeIdentity, outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { type MessageType, sparkplugTopic } from '@nhip/core/wire/topic';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import { storeWrite } from '@nhip/stores/testing/store-write';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFeed, type Feed } from './feed.ts';
import { createLiveHub, type LiveHub } from './hub.ts';
import { createMemoryStore } from './testing/memory-store.ts';
import { plant, press, shiftStartMs } from './testing/plant.ts';
import { eventually, writeHistory } from './testing/rig.ts';

const minuteMs = 60_000;
const stream = Uint8Array.from({ length: 16 }, (_, i) => i);

let nowMs: number;
let folder: string;
let logBus: LogBus;
let store: HistoryStore;
let feed: Feed | undefined;
let sequence = 0;

beforeEach(async () => {
  nowMs = shiftStartMs + 60 * minuteMs;
  sequence = 0;
  skipped = 0;
  folder = await mkdtemp(join(tmpdir(), 'nhip-feed-'));
  logBus = await openSegmentLog(createNodeEnv(folder), 'log', { readers: [], maxBytes: 64 * 1024 * 1024, log: silentLog() });
  store = createMemoryStore();
});
afterEach(async () => {
  await feed?.stop();
  await logBus.close();
  await rm(folder, { recursive: true });
});

async function start(checkpoint?: Checkpoint): Promise<LiveHub> {
  const hub = createLiveHub({ epoch: 'e', plant });
  const clock = { ...createNodeEnv(folder).clock, now: () => nowMs };
  feed = createFeed({ hub, store, checkpoint: () => checkpoint, logBus, clock, log: silentLog() });
  await feed.start();
  return hub;
}

/** Waits until the feed has read everything, then shows the press. */
async function look(hub: LiveHub) {
  const records = logBus.stats().nextIndex;
  await eventually(() => ((feed?.stats().records ?? 0) >= records - skipped ? true : undefined));
  hub.tick(nowMs);
  return hub.machine(press);
}
let skipped = 0;

async function send(type: MessageType, metrics: readonly Metric[]): Promise<void> {
  const device = type.startsWith('D') ? 'M01' : '';
  const seq = type === 'NBIRTH' ? 0 : (sequence + 1) % 256;
  sequence = seq;
  const payload = encodePayload({ timestampMs: nowMs, ...(type === 'NDEATH' ? {} : { seq }), metrics });
  await logBus.append(
    encodeLogMessage({ receivedMs: nowMs, sender: 'hoalac/press', topic: sparkplugTopic('hoalac', type, 'press', device), payload }),
  );
}

const identity = (seq: number): Metric => ({ name: outboxIdentityMetric, dataType: dataType.Bytes, value: encodeIdentity(stream, seq) });
const text = (name: string, value: string): Metric => ({ name, dataType: dataType.String, value });
const count = (value: number, timestampMs: number, isHistorical = false): Metric => ({
  name: 'Count/Good',
  dataType: dataType.Double,
  value,
  timestampMs,
  isHistorical,
});

async function birth(): Promise<void> {
  await send('NBIRTH', [{ name: 'bdSeq', dataType: dataType.UInt64, value: 1 }, identity(0)]);
  const power: Metric = {
    name: 'Power/Active',
    dataType: dataType.Double,
    value: 0,
    properties: { engUnit: { type: dataType.String, value: 'kW' } },
  };
  await send('DBIRTH', [identity(0), text('State', 'idle'), count(0, nowMs), power]);
}

describe('from the log', () => {
  it('follows births, data and deaths, and knows how the edge is doing', async () => {
    const hub = await start();
    await birth();
    await send('DDATA', [
      identity(1),
      text('State', 'running'),
      { name: 'Power/Active', dataType: dataType.Double, value: 7.5, timestampMs: nowMs - 250 },
    ]);
    expect(await look(hub)).toMatchObject({ state: 'running', since: nowMs, powerKw: 7.5, connection: 'online' });
    expect(hub.metrics(press)?.find(({ name }) => name === 'Power/Active')?.unit).toBe('kW');
    expect(feed?.edges()).toEqual([
      {
        id: 'hoalac/press',
        online: true,
        since: nowMs,
        lastSeen: nowMs,
        lagMs: 0,
        outboxRecords: null,
        backlogAtMs: null,
        devices: [{ id: press, connection: 'online' }],
      },
    ]);
    const aliveMs = nowMs;
    nowMs += 5000;
    await send('DDEATH', []);
    expect((await look(hub))?.connection).toBe('plcUnreachable');
    await send('NDEATH', [{ name: 'bdSeq', dataType: dataType.UInt64, value: 1 }]);
    expect(await look(hub)).toMatchObject({ connection: 'agentOffline', state: 'running', lastSample: aliveMs });
    expect(feed?.edges()[0]).toMatchObject({ online: false, since: nowMs });
  });

  it('tells how far an edge has come with its backlog, until it is sent', async () => {
    const hub = await start();
    const pending = (value: number): Metric => ({ name: 'Outbox/PendingRecords', dataType: dataType.Double, value });
    const edge = async () => {
      await look(hub);
      return feed?.edges()[0];
    };
    await send('NBIRTH', [{ name: 'bdSeq', dataType: dataType.UInt64, value: 1 }, identity(0), pending(0)]);
    await send('DBIRTH', [identity(0), count(0, nowMs)]);
    await send('NDATA', [pending(500)]);
    expect(await edge()).toMatchObject({ outboxRecords: 500, backlogAtMs: null });
    await send('DDATA', [identity(1), count(20, nowMs - 180_000, true), count(21, nowMs - 179_000, true)]);
    await send('DDATA', [identity(9), count(30, nowMs)]);
    expect(await edge()).toMatchObject({ backlogAtMs: nowMs - 179_000, lagMs: 0 });
    const waitedMs = nowMs;
    nowMs += 16_000;
    await send('DDATA', [identity(10), count(31, nowMs)]);
    expect(await edge()).toMatchObject({ backlogAtMs: null });
    await send('DDATA', [identity(3), count(22, waitedMs - 170_000, true)]);
    await send('NDATA', [pending(0)]);
    expect(await edge()).toMatchObject({ outboxRecords: 0, backlogAtMs: null });
  });

  it('counts no piece twice when messages come again or late', async () => {
    const hub = await start();
    await birth();
    await send('DDATA', [identity(1), count(10, nowMs - 9000)]);
    await send('DDATA', [identity(2), count(12, nowMs - 8000)]);
    await send('DDATA', [identity(3), count(15, nowMs - 7000)]);
    // The acknowledgements were lost: the same again.
    await send('DDATA', [identity(2), count(12, nowMs - 8000)]);
    await send('DDATA', [identity(3), count(15, nowMs - 7000)]);
    // After an outage: live first, then the backlog.
    await send('DDATA', [identity(6), count(30, nowMs)]);
    await send('DDATA', [identity(4), count(20, nowMs - 3000, true)]);
    await send('DDATA', [identity(5), count(25, nowMs - 2000, true)]);
    await send('DDATA', [identity(7), count(31, nowMs + 10)]);
    expect((await look(hub))?.countGood).toBe(21);
  });

  it('does not go back to an old state when only an old message comes again', async () => {
    const hub = await start();
    await birth();
    await send('DDATA', [identity(1), { ...text('State', 'running'), timestampMs: nowMs - 2000 }]);
    await send('DDATA', [identity(2), { ...text('State', 'fault'), timestampMs: nowMs - 1000 }]);
    await send('DDATA', [identity(1), { ...text('State', 'running'), timestampMs: nowMs - 2000 }]);
    expect(await look(hub)).toMatchObject({ state: 'fault', since: nowMs - 1000 });
  });

  it('goes on after a record that is garbage', async () => {
    const hub = await start();
    await logBus.append(Uint8Array.of(1, 2, 3));
    await logBus.append(encodeLogMessage({ receivedMs: nowMs, sender: 'x', topic: 'nonsense', payload: new Uint8Array(5) }));
    await logBus.append(
      encodeLogMessage({
        receivedMs: nowMs,
        sender: 'x',
        topic: 'json/hoalac/press/M01',
        payload: new TextEncoder().encode('{"values":{"State":"fault"}}'),
      }),
    );
    expect((await look(hub))?.state).toBe('fault');
  });
});

describe('from the history', () => {
  it('knows since when a state holds, and the pieces of the shift over a reset', async () => {
    await writeHistory(store, [
      [press, 'Connection', shiftStartMs - 3_600_000, 'online'],
      [press, 'State', shiftStartMs - 50 * 3_600_000, 'idle'],
      [press, 'State', shiftStartMs - 40 * 3_600_000, 'running'],
      [press, 'State', shiftStartMs + 10 * minuteMs, 'running'],
      [press, 'Count/Good', shiftStartMs - minuteMs, 1000],
      [press, 'Count/Good', shiftStartMs + minuteMs, 1010],
      [press, 'Count/Good', shiftStartMs + 2 * minuteMs, 5],
      [press, 'Count/Good', nowMs - 5000, 25],
    ]);
    const hub = await start();
    expect(await look(hub)).toMatchObject({ state: 'running', since: shiftStartMs - 40 * 3_600_000, connection: 'online', countGood: 35 });
  });

  it('goes on from the checkpoint, misses nothing and counts nothing twice', async () => {
    await birth();
    await send('DDATA', [identity(1), text('State', 'running'), count(100, nowMs - 60_000)]);
    const nextIndex = logBus.stats().nextIndex;
    const series = new SeriesTable();
    const decoder = createDecoder(series);
    const batch = new SampleBatch(series);
    for (const record of await logBus.read(0, { maxRecords: 100, maxBytes: 1e6, waitMs: 0 })) decoder.decode(record, batch);
    const checkpoint = { nextIndex, decoder: decoder.snapshot(), repeats: new Uint8Array() };
    await store.write(storeWrite(batch, checkpoint));
    // The store goes on while the feed starts: these two are in both.
    await send('DDATA', [identity(3), count(101, nowMs - 50_000)]);
    await send('DDATA', [identity(4), count(105, nowMs - 40_000)]);
    await writeHistory(store, [
      [press, 'Count/Good', nowMs - 50_000, 101],
      [press, 'Count/Good', nowMs - 40_000, 105],
    ]);
    skipped = nextIndex;
    const hub = await start(checkpoint);
    expect(await look(hub)).toMatchObject({ state: 'running', connection: 'online', countGood: 5 });
    await send('DDATA', [identity(5), count(106, nowMs)]);
    expect((await look(hub))?.countGood).toBe(6);
  });

  it('reads a new log from its start when the checkpoint belongs to a lost one', async () => {
    await birth();
    const hub = await start({ nextIndex: 500, decoder: new TextEncoder().encode('[]'), repeats: new Uint8Array() });
    expect((await look(hub))?.connection).toBe('online');
  });
});
