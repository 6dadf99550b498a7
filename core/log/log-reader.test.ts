import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../process/log.ts';
import { createNodeEnv } from '../process/node-env.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { LogBus, LogRecord } from './log-bus.ts';
import { type LogReader, openLogReader } from './log-reader.ts';
import { openSegmentLog } from './segment-log.ts';

const limits = { maxRecords: 1000, maxBytes: 1e6, waitMs: 0 };
const log = silentLog();

async function appendNumbers(target: LogBus, from: number, count: number): Promise<PromiseSettledResult<number>[]> {
  return Promise.allSettled(Array.from({ length: count }, (_, i) => target.append(Buffer.from(`record ${from + i}`))));
}

async function readAll(source: Pick<LogReader, 'read'>): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let next = 0; ; ) {
    const records = await source.read(next, limits);
    if (records.length === 0) {
      return found;
    }
    for (const { index, payload } of records) {
      found.set(index, Buffer.from(payload).toString());
      next = index + 1;
    }
  }
}

describe('reading a log that another process writes', () => {
  it('reads without a name: writes nothing, holds nothing back, tells where the log begins and ends', async () => {
    const sim = createSimDisk();
    const env = { clock: createSimClock(), random: createSimRandom(1), disk: sim.boot() };
    const writer = await openSegmentLog(env, 'log', { segmentBytes: 500, commitDelayMs: 0, maxBytes: 1e6, readers: ['store'], log });
    await appendNumbers(writer, 0, 100);
    const before = await env.disk.readDir('log');
    const reader = await openLogReader(env, 'log', { log });
    expect(await env.disk.readDir('log')).toEqual(before);
    expect(reader.stats()).toMatchObject({ firstIndex: 0, nextIndex: 100 });
    await expect(reader.commit('store', 5)).rejects.toThrow(RangeError);
    await writer.commit('store', 100);
    await appendNumbers(writer, 100, 30);
    await writer.close();
    expect([...(await readAll(reader)).keys()].at(-1)).toBe(129);
    expect(reader.stats()).toMatchObject({ firstIndex: writer.stats().firstIndex, nextIndex: 130 });
    expect(reader.stats().firstIndex).toBeGreaterThan(0);
    await reader.close();
  });

  it('follows it over files, waits for what comes, and holds back deletion by its own cursor', async () => {
    const sim = createSimDisk();
    const env = { clock: createSimClock(), random: createSimRandom(1), disk: sim.boot() };
    await expect(openLogReader(env, 'log', { reader: 'live', log })).rejects.toMatchObject({ code: 'log.notThere' });
    const writer = await openSegmentLog(env, 'log', { segmentBytes: 500, commitDelayMs: 0, maxBytes: 1e6, readers: ['store'], log });
    const reader = await openLogReader(env, 'log', { reader: 'live', log });
    expect(reader.id).toBe(writer.id);
    await appendNumbers(writer, 0, 100);
    expect(await readAll(reader)).toHaveLength(100);
    const waiting = reader.read(100, { ...limits, waitMs: 10_000 });
    await env.clock.advance(1000);
    await appendNumbers(writer, 100, 1);
    expect((await env.clock.drive(waiting)).map(({ index }) => index)).toEqual([100]);
    expect(env.clock.monotonic()).toBeLessThanOrEqual(1050);
    await writer.commit('store', 101);
    await reader.commit('live', 40);
    await expect(reader.commit('store', 101)).rejects.toThrow(RangeError);
    await appendNumbers(writer, 101, 30);
    await writer.close();
    const { firstIndex } = writer.stats();
    expect(firstIndex).toBeGreaterThan(20);
    expect(firstIndex).toBeLessThanOrEqual(40);
    const found = await readAll(reader);
    expect([...found.keys()]).toEqual(Array.from({ length: 131 - firstIndex }, (_, i) => firstIndex + i));
    await reader.close();
    expect((await openLogReader(env, 'log', { reader: 'live', log })).cursor('live')).toBe(40);
  });

  it('never hands out what a power cut or a full disk takes back', async () => {
    const action = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 40 }),
        looks: fc.nat(30),
        end: fc.constantFrom('none' as const, 'crash' as const, 'kill' as const),
      }),
      fc.record({ kind: fc.constant('fill' as const), freeBytes: fc.nat(1500) }),
      fc.record({ kind: fc.constantFrom('makeRoom' as const, 'crash' as const, 'kill' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(action, { minLength: 2, maxLength: 15 }), async (seed, actions) => {
        const random = createSimRandom(seed);
        const sim = createSimDisk(random);
        const seen = new Map<number, string>();
        const open = async (): Promise<{ writer: LogBus; reader: LogReader }> => {
          sim.setCapacity(Number.POSITIVE_INFINITY);
          const env = { clock: createSimClock(), random, disk: sim.boot() };
          const options = { segmentBytes: 700, commitDelayMs: 0, maxBytes: 1e6, readers: [], log };
          const writer = await openSegmentLog(env, 'log', options);
          const kept = await readAll(writer);
          for (const [index, text] of seen) {
            expect(kept.get(index)).toBe(text);
          }
          return { writer, reader: await openLogReader(env, 'log', { reader: 'live', log }) };
        };
        let { writer, reader } = await open();
        const end = async (how: 'crash' | 'kill'): Promise<void> => {
          if (how === 'crash') {
            sim.crash(random);
          }
          ({ writer, reader } = await open());
        };
        let count = 0;
        for (const step of actions) {
          if (step.kind === 'append') {
            const work = appendNumbers(writer, count, step.count);
            // Whoever goes on looking after the first record gives the writer time to sync it.
            const next = Math.max(-1, ...seen.keys()) + 1;
            let fresh: readonly LogRecord[] = [];
            for (let looks = 0; looks < step.looks && fresh.length === 0; looks++) {
              fresh = await reader.read(next, limits);
            }
            for (const { index, payload } of fresh) {
              seen.set(index, Buffer.from(payload).toString());
            }
            if (step.end !== 'none') {
              count += step.count;
              await end(step.end);
              continue;
            }
            for (const [i, result] of (await work).entries()) {
              if (result.status === 'rejected') {
                expect([...seen.values()]).not.toContain(`record ${count + i}`);
              }
            }
            count += step.count;
          } else if (step.kind === 'fill') {
            sim.setCapacity(sim.files().reduce((sum, path) => sum + sim.content(path).length, step.freeBytes));
          } else if (step.kind === 'makeRoom') {
            sim.setCapacity(Number.POSITIVE_INFINITY);
          } else {
            await end(step.kind);
          }
        }
        sim.crash(random);
        await open();
      }),
      { numRuns: Number(process.env.NHIP_LOG_RUNS ?? 300) },
    );
  });

  it('steps over damage that stays, and goes on behind it', async () => {
    const sim = createSimDisk();
    const env = { clock: createSimClock(), random: createSimRandom(1), disk: sim.boot() };
    const writer = await openSegmentLog(env, 'log', { commitDelayMs: 0, maxBytes: 1e6, readers: [], log });
    for (let i = 0; i < 5; i++) {
      await writer.append(Buffer.from(`record ${i}`));
    }
    const path = sim.files().find((name) => name.endsWith('.log')) ?? '';
    const content = sim.content(path);
    const at = Buffer.from(content).indexOf('record 2');
    content[at] = (content[at] ?? 0) ^ 1;
    const reader = await openLogReader(env, 'log', { reader: 'live', log });
    const found: number[] = [];
    for (let next = 0; next < 5; next = (found.at(-1) ?? -1) + 1) {
      found.push(...(await env.clock.drive(reader.read(next, { ...limits, waitMs: 5000 }))).map(({ index }) => index));
    }
    expect(found).toEqual([0, 1, 3, 4]);
  });

  it('works on the real disk', async () => {
    const root = await mkdtemp(join(tmpdir(), 'nhip-log-'));
    try {
      const writer = await openSegmentLog(createNodeEnv(root), 'log', {
        segmentBytes: 32 * 1024,
        commitDelayMs: 0,
        maxBytes: 1e8,
        readers: [],
        log,
      });
      const reader = await openLogReader(createNodeEnv(root), 'log', { reader: 'live', pollMs: 5, log });
      const found: number[] = [];
      const work = appendNumbers(writer, 0, 5000);
      while (found.length < 5000) {
        const records = await reader.read(found.length, { maxRecords: 500, maxBytes: 1e6, waitMs: 2000 });
        expect(records.length).toBeGreaterThan(0);
        found.push(...records.map(({ index }) => index));
      }
      expect(found.at(-1)).toBe(4999);
      await work;
      await reader.commit('live', 5000);
      await writer.close();
      await reader.close();
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
