import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FatalError, PermanentError, RetryableError } from '../process/errors.ts';
import { silentLog } from '../process/log.ts';
import { createNodeEnv } from '../process/node-env.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk, type SimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { LogBus } from './log-bus.ts';
import { openSegmentLog, type SegmentLogOptions } from './segment-log.ts';

const plain: SegmentLogOptions = { maxBytes: 1_000_000, commitDelayMs: 0, readers: ['r'], log: silentLog() };

function simEnv(sim: SimDisk) {
  return { clock: createSimClock(), random: createSimRandom(1), disk: sim.boot() };
}

async function openSim(sim: SimDisk, options: Partial<SegmentLogOptions> = {}): Promise<LogBus> {
  return openSegmentLog(simEnv(sim), 'log', { ...plain, ...options });
}

async function appendAll(log: LogBus, texts: readonly string[]): Promise<number[]> {
  return Promise.all(texts.map((text) => log.append(Buffer.from(text))));
}

async function readAll(log: LogBus, from = 0): Promise<string[]> {
  const found: string[] = [];
  for (let next = from; ; ) {
    const records = await log.read(next, { maxRecords: 7, maxBytes: 10_000, waitMs: 0 });
    if (records.length === 0) {
      return found;
    }
    for (const record of records) {
      found.push(`${record.index}:${Buffer.from(record.payload).toString()}`);
      next = record.index + 1;
    }
  }
}

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `record ${from + i}`);
const listed = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `${from + i}:record ${from + i}`);

describe('the segment log', () => {
  it('gives indexes in the order of calls and reads the records back, also after a restart', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim, { segmentBytes: 300 });
    expect(await appendAll(log, numbered(50))).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(await readAll(log)).toEqual(listed(50));
    expect(await readAll(log, 33)).toEqual(listed(17, 33));
    expect(log.stats()).toMatchObject({ firstIndex: 0, nextIndex: 50, evictedRecords: 0, quarantinedRecords: 0 });
    expect(log.stats().segments).toBeGreaterThan(3);
    await log.close();
    const again = await openSim(sim, { segmentBytes: 300 });
    expect(await readAll(again)).toEqual(listed(50));
    expect(await again.append(new Uint8Array(0))).toBe(50);
    expect(await readAll(again, 50)).toEqual(['50:']);
  });

  it('commits what gathered during one sync with a single write and sync', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim);
    await appendAll(log, ['first']);
    const { syncs } = log.stats();
    const before = sim.operations;
    await appendAll(log, numbered(1000));
    expect(log.stats().syncs - syncs).toBe(1);
    expect(sim.operations - before).toBe(2);
  });

  it('waits for company no longer than the commit delay', async () => {
    const sim = createSimDisk();
    const env = simEnv(sim);
    const log = await openSegmentLog(env, 'log', { ...plain, commitDelayMs: 100 });
    const first = log.append(Buffer.from('a'));
    await env.clock.advance(60);
    const second = log.append(Buffer.from('b'));
    expect(log.stats().nextIndex).toBe(0);
    await env.clock.advance(40);
    expect(await Promise.all([first, second])).toEqual([0, 1]);
    expect(log.stats().syncs).toBe(3);
  });

  it('respects the limits of a read, and always gives one record', async () => {
    const log = await openSim(createSimDisk());
    await appendAll(log, numbered(10));
    expect(await log.read(2, { maxRecords: 3, maxBytes: 1e6, waitMs: 0 })).toHaveLength(3);
    expect(await log.read(2, { maxRecords: 100, maxBytes: 20, waitMs: 0 })).toHaveLength(2);
    expect(await log.read(2, { maxRecords: 100, maxBytes: 1, waitMs: 0 })).toHaveLength(1);
  });

  it('wakes a waiting reader at the commit; gives up after the wait or the abort', async () => {
    const sim = createSimDisk();
    const env = simEnv(sim);
    const log = await openSegmentLog(env, 'log', plain);
    const waiting = log.read(0, { maxRecords: 10, maxBytes: 1000, waitMs: 60_000 });
    await env.clock.advance(1000);
    await log.append(Buffer.from('x'));
    expect(await waiting).toHaveLength(1);
    expect(env.clock.monotonic()).toBe(1000);
    expect(await env.clock.drive(log.read(1, { maxRecords: 10, maxBytes: 1000, waitMs: 500 }))).toEqual([]);
    expect(env.clock.monotonic()).toBe(1500);
    const abort = new AbortController();
    const aborted = log.read(1, { maxRecords: 10, maxBytes: 1000, waitMs: 500, signal: abort.signal });
    abort.abort(new Error('stop'));
    await expect(aborted).rejects.toThrow('stop');
    const atClose = log.read(1, { maxRecords: 10, maxBytes: 1000, waitMs: 500 });
    await log.close();
    expect(await atClose).toEqual([]);
  });

  it('flushes at close, closes twice, and refuses appends afterwards', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim, { commitDelayMs: 1000, cursorDelayMs: 1000 });
    const appended = log.append(Buffer.from('last'));
    const committed = log.commit('r', 1);
    await log.close();
    await log.close();
    expect(await appended).toBe(0);
    await committed;
    await expect(log.append(Buffer.from('late'))).rejects.toBeInstanceOf(RetryableError);
    sim.crash(createSimRandom(1));
    const again = await openSim(sim, { readers: ['other'] });
    expect(await readAll(again)).toEqual(['0:last']);
    expect(again.cursor('r')).toBe(1);
    expect(again.cursor('other')).toBe(0);
  });

  it('refuses a record that no segment takes, and more than may wait', async () => {
    const log = await openSim(createSimDisk(), { maxPendingBytes: 100 });
    await expect(log.append(new Uint8Array(16 * 1024 * 1024 + 1))).rejects.toBeInstanceOf(PermanentError);
    const first = log.append(new Uint8Array(80));
    await expect(log.append(new Uint8Array(80))).rejects.toMatchObject({ code: 'log.busy' });
    expect(await first).toBe(0);
    expect(await log.append(new Uint8Array(80))).toBe(1);
  });

  it('deletes segments that every reader is done with, and keeps the tail that was asked for', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim, { segmentBytes: 300, readers: ['r', 's'] });
    await appendAll(log, numbered(50));
    await log.commit('r', 50);
    expect(log.stats().firstIndex).toBe(0);
    await log.commit('s', 30);
    await log.commit('s', 10);
    expect(log.cursor('s')).toBe(30);
    await log.close();
    const { firstIndex } = log.stats();
    expect(firstIndex).toBeGreaterThan(15);
    expect(firstIndex).toBeLessThanOrEqual(30);
    expect(log.stats().evictedRecords).toBe(0);
    const again = await openSim(sim, { segmentBytes: 300, readers: ['r', 's'] });
    expect(await readAll(again)).toEqual(listed(50 - firstIndex, firstIndex));

    const tailed = await openSim(createSimDisk(), { segmentBytes: 300, keepTailBytes: 900 });
    await appendAll(tailed, numbered(50));
    await tailed.commit('r', 50);
    await tailed.close();
    expect(tailed.stats().bytes).toBeLessThanOrEqual(900);
    expect(tailed.stats().bytes).toBeGreaterThan(500);
  });

  it('goes on above a cursor that lies beyond the end, so that no index comes twice', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim);
    await appendAll(log, numbered(3));
    await log.commit('r', 100);
    expect(log.stats().nextIndex).toBe(100);
    expect(await log.append(Buffer.from('x'))).toBe(100);
    await log.close();
    const again = await openSim(sim, { readers: ['new'] });
    expect(await again.append(Buffer.from('y'))).toBe(101);
    expect(await readAll(again, 3)).toEqual(['100:x', '101:y']);
  });

  it('gives up the oldest segments over the quota, counts them and says so', async () => {
    const ranges: number[][] = [];
    const log = await openSim(createSimDisk(), {
      segmentBytes: 300,
      maxBytes: 20_000,
      onEvicted: async ({ fromIndex, toIndex }) => void ranges.push([fromIndex, toIndex]),
    });
    await appendAll(log, numbered(1000));
    await log.close();
    const { firstIndex, bytes, evictedRecords } = log.stats();
    expect(bytes).toBeLessThanOrEqual(20_000 + 300);
    expect(firstIndex).toBeGreaterThan(0);
    expect(evictedRecords).toBe(firstIndex);
    expect(ranges[0]?.[0]).toBe(0);
    expect(ranges.at(-1)?.[1]).toBe(firstIndex);
    for (const [i, range] of ranges.slice(1).entries()) {
      expect(range[0]).toBe(ranges[i]?.[1]);
    }
  });

  it('rejects appends on a full disk, keeps nothing of them, and works again when there is room', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim, { segmentBytes: 600 });
    await appendAll(log, numbered(5));
    sim.setCapacity(sim.content(sim.files().find((path) => path.endsWith('.log')) ?? '').length + 8192 + 40);
    const refused = await Promise.allSettled([log.append(Buffer.from('refused 1')), log.append(Buffer.from('refused 2'))]);
    for (const result of refused) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'log.diskFull' } });
    }
    expect(await readAll(log)).toEqual(listed(5));
    await expect(log.append(Buffer.alloc(500))).rejects.toMatchObject({ code: 'log.diskFull' });
    sim.setCapacity(Number.POSITIVE_INFINITY);
    expect(await appendAll(log, numbered(40, 5))).toEqual(Array.from({ length: 40 }, (_, i) => 5 + i));
    sim.crash(createSimRandom(5));
    expect(await readAll(await openSim(sim))).toEqual(listed(45));
  });

  it('is dead after a failed sync and says so once', async () => {
    const sim = createSimDisk();
    const errors: FatalError[] = [];
    const log = await openSim(sim, { onFatal: (error) => errors.push(error) });
    await appendAll(log, numbered(3));
    sim.failNextSync();
    const results = await Promise.allSettled([log.append(Buffer.from('a')), log.append(Buffer.from('b'))]);
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'log.syncFailed' } });
    }
    await expect(log.append(Buffer.from('c'))).rejects.toBeInstanceOf(FatalError);
    expect(errors).toHaveLength(1);
    expect(await readAll(log)).toEqual(listed(3));
    await log.close();
    sim.crash(createSimRandom(2));
    expect(await readAll(await openSim(sim))).toEqual(listed(3));
  });

  it('counts nothing as done with before the cursor is on the disk', async () => {
    const sim = createSimDisk();
    const errors: FatalError[] = [];
    const log = await openSim(sim, { segmentBytes: 300, onFatal: (error) => errors.push(error) });
    await appendAll(log, numbered(50));
    sim.failNextSync();
    await expect(log.commit('r', 50)).rejects.toMatchObject({ code: 'log.syncFailed' });
    expect(errors).toHaveLength(1);
    expect(log.cursor('r')).toBe(0);
    await log.close();
    expect(log.stats().firstIndex).toBe(0);
  });

  it('refuses a segment of a newer format instead of damaging it', async () => {
    const sim = createSimDisk();
    const env = simEnv(sim);
    const log = await openSegmentLog(env, 'log', plain);
    await log.append(Buffer.from('x'));
    await log.close();
    const path = sim.files().find((name) => name.endsWith('.log')) ?? '';
    const { crc32 } = await import('node:zlib');
    const header = Buffer.from(sim.content(path).slice(0, 64));
    header.writeUInt32LE(2, 8);
    header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
    await (await env.disk.open(path, 'write')).write(header, 0);
    await expect(openSim(sim)).rejects.toMatchObject({ code: 'log.newerFormat' });
  });
});

describe('the segment log on the real disk', () => {
  it('keeps records, cursors and deletions over a restart', async () => {
    const root = await mkdtemp(join(tmpdir(), 'nhip-log-'));
    try {
      const open = (): Promise<LogBus> => openSegmentLog(createNodeEnv(root), 'log', { ...plain, segmentBytes: 64 * 1024 });
      const log = await open();
      const texts = numbered(20_000);
      await appendAll(log, texts);
      await log.commit('r', 15_000);
      await log.close();
      const again = await open();
      expect(again.cursor('r')).toBe(15_000);
      expect(await readAll(again, 15_000)).toEqual(listed(5000, 15_000));
      expect(again.stats().firstIndex).toBeGreaterThan(10_000);
      expect(await again.append(Buffer.from('next'))).toBe(20_000);
      await again.close();
      expect((await readdir(join(root, 'log'))).filter((name) => name.endsWith('.log'))).toHaveLength(again.stats().segments);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
