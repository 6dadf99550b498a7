import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus, LogSource } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { type MessageType, sparkplugTopic } from '@nhip/core/wire/topic';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFeed, type Feed } from './feed.ts';
import { createLiveHub, type LiveHub } from './hub.ts';
import { createMemoryStore } from './testing/memory-store.ts';
import { plant, shiftStartMs } from './testing/plant.ts';
import { eventually } from './testing/rig.ts';

/** The feed begins while the store lags: what is old is held back here for as long as the test likes. */

const nowMs = shiftStartMs + 3_600_000;
const backlog = 20;
const born = 'hoalac/born';
const silent = 'hoalac/silent';

let folder: string;
let logBus: LogBus;
let feed: Feed;
let hub: LiveHub;
let letThrough: () => void;
const seq = new Map<string, number>();

async function send(edge: string, type: MessageType, metrics: readonly Metric[]): Promise<void> {
  const [group = '', name = ''] = edge.split('/');
  const next = type === 'NBIRTH' ? 0 : ((seq.get(edge) ?? 0) + 1) % 256;
  seq.set(edge, next);
  const topic = sparkplugTopic(group, type, name, type.startsWith('D') ? 'M' : '');
  await logBus.append(
    encodeLogMessage({ receivedMs: nowMs, sender: edge, topic, payload: encodePayload({ timestampMs: nowMs, seq: next, metrics }) }),
  );
}

/** Alias 1 is `first`, alias 2 is `second`. */
async function birth(edge: string, first: string, second: string): Promise<void> {
  await send(edge, 'NBIRTH', [{ name: 'bdSeq', dataType: dataType.UInt64, value: 1 }]);
  const metrics = [first, second].map((name, i) => ({
    name,
    alias: i + 1,
    dataType: dataType.Double,
    value: 0,
    timestampMs: nowMs - 1000,
  }));
  await send(edge, 'DBIRTH', metrics);
}

const byAlias = (edge: string, alias: number, value: number, timestampMs: number): Promise<void> =>
  send(edge, 'DDATA', [{ alias, dataType: dataType.Double, value, timestampMs }]);

const shown = (edge: string, metric: string) => hub.metrics(`${edge}/M`)?.find(({ name }) => name === metric)?.v;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-feed-'));
  logBus = await openSegmentLog(createNodeEnv(folder), 'log', { readers: [], maxBytes: 64 * 1024 * 1024, log: silentLog() });
  seq.clear();
  for (const edge of [born, silent]) await birth(edge, 'Power/Active', 'Count/Good');
  for (let i = 1; i <= backlog; i++) for (const edge of [born, silent]) await byAlias(edge, 2, i, nowMs - 500_000 + i);
  const { nextIndex } = logBus.stats();
  const held = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  const source: LogSource = {
    ...logBus,
    read: async (from, options) => {
      if (from < nextIndex) await held;
      return logBus.read(from, options);
    },
    stats: () => logBus.stats(),
  };
  hub = createLiveHub({ epoch: 'e', plant });
  const clock = { ...createNodeEnv(folder).clock, now: () => nowMs };
  feed = createFeed({ hub, store: createMemoryStore(), checkpoint: () => undefined, logBus: source, clock, log: silentLog() });
  await feed.start();
});
afterEach(async () => {
  letThrough();
  await feed.stop();
  await logBus.close();
  await rm(folder, { recursive: true });
});

const caughtUp = (): Promise<true> =>
  eventually(() => (feed.stats().isCaughtUp && feed.stats().records >= logBus.stats().nextIndex ? true : undefined));

describe('a feed that has much to read', () => {
  it('shows an edge from its next birth on, before the rest is read', async () => {
    // Born anew with its aliases the other way round: the old ones must name nothing.
    await birth(born, 'Count/Good', 'Power/Active');
    await byAlias(born, 1, 4711, nowMs);
    await eventually(() => (shown(born, 'Count/Good') === 4711 ? true : undefined));
    expect(shown(born, 'Power/Active')).toBe(0);
    expect(feed.edges()).toMatchObject([{ id: born, online: true }]);
    expect(feed.stats()).toMatchObject({ isCaughtUp: false, records: 0 });
    letThrough();
    await caughtUp();
    await byAlias(born, 2, 7.5, nowMs + 1);
    await eventually(() => (shown(born, 'Power/Active') === 7.5 ? true : undefined));
    expect(shown(born, 'Count/Good')).toBe(4711);
    expect(feed.edges().map(({ id, online }) => [id, online])).toEqual([
      [born, true],
      [silent, true],
    ]);
  });

  it('shows nothing of an edge whose birth it has not read, and everything once it has', async () => {
    await byAlias(silent, 2, 99, nowMs);
    await birth(born, 'Power/Active', 'Count/Good');
    await byAlias(born, 2, 50, nowMs);
    await eventually(() => (shown(born, 'Count/Good') === 50 ? true : undefined));
    expect(hub.metrics(`${silent}/M`)).toBeUndefined();
    letThrough();
    await caughtUp();
    expect(shown(silent, 'Count/Good')).toBe(99);
    expect(shown(born, 'Count/Good')).toBe(50);
  });

  it('lets no connection of old stand against a newer one', async () => {
    await send(silent, 'NDEATH', [{ name: 'bdSeq', dataType: dataType.UInt64, value: 1 }]);
    await birth(silent, 'Power/Active', 'Count/Good');
    await byAlias(silent, 2, 21, nowMs);
    await eventually(() => (shown(silent, 'Count/Good') === 21 ? true : undefined));
    letThrough();
    await caughtUp();
    hub.tick(nowMs);
    expect(hub.machine(`${silent}/M`)).toMatchObject({ connection: 'online' });
    expect(feed.edges().every(({ online }) => online)).toBe(true);
  });
});
