/** A log that is full: what it gives up was counted before, or nothing is given up at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../process/log.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk, type SimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { OnEvicted } from './cleaner.ts';
import type { LogBus } from './log-bus.ts';
import { openSegmentLog, type SegmentLogOptions } from './segment-log.ts';

const maxBytes = 3000;
const plain: SegmentLogOptions = { segmentBytes: 500, commitDelayMs: 0, maxBytes, readers: ['r'], log: silentLog() };

/** A world of its own per life of the process: its clock ends with it. */
function open(sim: SimDisk, options: Partial<SegmentLogOptions>): Promise<LogBus> {
  const env = { clock: createSimClock(), random: createSimRandom(1), disk: sim.boot() };
  return openSegmentLog(env, 'log', { ...plain, ...options });
}

async function indexesFrom(index: number, read: (index: number) => Promise<readonly { readonly index: number }[]>): Promise<number[]> {
  const found: number[] = [];
  for (let next = index; ; next = (found.at(-1) ?? next) + 1) {
    const records = await read(next);
    if (records.length === 0) return found;
    found.push(...records.map((record) => record.index));
  }
}

const readOf = (log: LogBus) => (index: number) => log.read(index, { maxRecords: 10, maxBytes: 10_000, waitMs: 0 });

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), sizes: fc.array(fc.nat(200), { minLength: 1, maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('commit' as const), behind: fc.nat(40) }) },
);
const lives = fc.array(
  fc.record({
    operations: fc.integer({ min: 1, max: 120 }),
    isKill: fc.boolean(),
    seed: fc.nat(),
    steps: fc.array(step, { maxLength: 20 }),
    refusedCounts: fc.array(fc.boolean(), { maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('a log that evicts', () => {
  it('deletes no unread record that was not counted before, wherever the power is cut', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(lives, async (all) => {
        const sim = createSimDisk();
        const acknowledged = new Set<number>();
        const counted = new Set<number>();
        let committed = 0;
        for (const { operations, isKill, seed, steps, refusedCounts } of all) {
          const refusals = [...refusedCounts];
          const onEvicted: OnEvicted = async ({ fromIndex, toIndex }, read) => {
            if (refusals.pop() === true) throw new Error('the ledger is full');
            for (const index of await indexesFrom(fromIndex, read)) if (index < toIndex) counted.add(index);
          };
          const life = async (): Promise<void> => {
            const log = await open(sim, { onEvicted });
            for (const action of steps) {
              if (action.kind === 'append') {
                const appended = action.sizes.map(async (size) => acknowledged.add(await log.append(new Uint8Array(size))));
                await Promise.all(appended);
              } else {
                const next = Math.max(0, log.stats().nextIndex - action.behind);
                await log.commit('r', next);
                committed = Math.max(committed, next);
              }
            }
            await log.close();
          };
          const random = createSimRandom(seed);
          await Promise.race([isKill ? sim.killAfter(operations, random) : sim.crashAfter(operations, random), life()]);
          if (!isKill) sim.crash(random);
        }
        sim.crash(createSimRandom(0));
        const log = await open(sim, { maxBytes: 1e9 });
        const there = new Set(await indexesFrom(0, readOf(log)));
        // A commit that a crash cut short may have become durable without an answer.
        const doneBelow = Math.max(committed, log.cursor('r'));
        for (const index of acknowledged) {
          expect(index < doneBelow || there.has(index) || counted.has(index), `record ${index}`).toBe(true);
        }
      }),
      { numRuns: Number(process.env.NHIP_LOG_RUNS ?? 300) },
    );
  });

  it('keeps everything while the loss cannot be counted, and tries again with the next segment', async () => {
    let isRefusing = true;
    const ranges: { readonly fromIndex: number; readonly toIndex: number }[] = [];
    const onEvicted: OnEvicted = async (range) => {
      if (isRefusing) throw new Error('no room in the ledger');
      ranges.push(range);
    };
    const log = await open(createSimDisk(), { onEvicted });
    for (let i = 0; i < 100; i++) await log.append(new Uint8Array(100));
    expect(log.stats()).toMatchObject({ firstIndex: 0, evictedRecords: 0, quotaBytes: maxBytes });
    expect(log.stats().bytes).toBeGreaterThan(10_000);
    isRefusing = false;
    for (let i = 0; i < 10; i++) await log.append(new Uint8Array(100));
    await log.close();
    expect(log.stats().bytes).toBeLessThan(maxBytes + 600);
    expect(ranges[0]).toMatchObject({ fromIndex: 0 });
    expect(ranges.at(-1)?.toIndex).toBe(log.stats().firstIndex);
  });

  it('counts before it deletes at the opening, too: the quota was lowered', async () => {
    const sim = createSimDisk();
    const log = await open(sim, { maxBytes: 1e6 });
    for (let i = 0; i < 60; i++) await log.append(Buffer.from(`record ${i}`.padEnd(90)));
    await log.close();
    const seen: string[] = [];
    const again = await open(sim, {
      onEvicted: async ({ fromIndex, toIndex }, read) => {
        for (const { index, payload } of await read(fromIndex)) if (index < toIndex) seen.push(Buffer.from(payload).toString().trim());
      },
    });
    const { firstIndex } = again.stats();
    expect(firstIndex).toBeGreaterThan(20);
    expect(seen).toEqual(Array.from({ length: firstIndex }, (_, i) => `record ${i}`));
  });
});

describe('a log that refuses', () => {
  it('takes no more than its quota, gives up its tail first, loses nothing unread, and goes on when the reader has', async () => {
    const sim = createSimDisk();
    const log = await open(sim, { whenFull: 'refuse', keepTailBytes: 1e9 });
    for (let i = 0; i < 8; i++) await log.append(new Uint8Array(100));
    await log.commit('r', 8);
    expect(log.stats().firstIndex).toBe(0);
    const kept: number[] = [];
    const fill = async (): Promise<unknown> => {
      for (;;) {
        try {
          kept.push(await log.append(new Uint8Array(100)));
          expect(log.stats().bytes).toBeLessThanOrEqual(maxBytes);
        } catch (error) {
          return error;
        }
      }
    };
    expect(await fill()).toMatchObject({ name: 'RetryableError', code: 'log.quota' });
    expect(log.stats().firstIndex).toBeGreaterThan(0);
    expect(kept.length).toBeGreaterThan(15);
    await expect(Promise.all([log.append(new Uint8Array(100)), log.append(new Uint8Array(100))])).rejects.toMatchObject({
      code: 'log.quota',
    });
    expect(await indexesFrom(8, readOf(log))).toEqual(kept);
    expect(log.stats().evictedRecords).toBe(0);
    await log.commit('r', kept[10] ?? 0);
    const before = kept.length;
    expect(await fill()).toMatchObject({ code: 'log.quota' });
    expect(kept.length).toBeGreaterThanOrEqual(before + 3);
    expect(kept).toEqual(kept.map((_, i) => 8 + i));
    expect(await indexesFrom(kept[10] ?? 0, readOf(log))).toEqual(kept.slice(10));
  });

  it('says since when it is full, until an append is taken again', async () => {
    const log = await open(createSimDisk(), { whenFull: 'refuse' });
    expect(log.stats().fullSinceMs).toBeNull();
    for (let isFull = false; !isFull; )
      isFull = await log.append(new Uint8Array(100)).then(
        () => false,
        () => true,
      );
    expect(log.stats().fullSinceMs).toBe(createSimClock().now());
    await log.commit('r', log.stats().nextIndex);
    await log.append(new Uint8Array(100));
    expect(log.stats().fullSinceMs).toBeNull();
  });

  it('tells that it refuses before the appends reject, and refuses all that were called before', async () => {
    const events: string[] = [];
    const log = await open(createSimDisk(), { whenFull: 'refuse', onRefused: () => events.push('refused') });
    const appends = Array.from({ length: 60 }, (_, i) =>
      log.append(new Uint8Array(100)).then(
        () => 'kept' as const,
        () => {
          events.push(`${i}`);
          return 'lost' as const;
        },
      ),
    );
    const results = await Promise.all(appends);
    const firstLost = results.indexOf('lost');
    expect(firstLost).toBeGreaterThan(15);
    expect(results.slice(firstLost)).toEqual(results.slice(firstLost).map(() => 'lost'));
    expect(events[0]).toBe('refused');
    expect(events.filter((event) => event === 'refused')).toHaveLength(1);
  });

  it('never loses an unread record, wherever the power is cut', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(lives, async (all) => {
        const sim = createSimDisk();
        const acknowledged = new Set<number>();
        let requested = 0;
        for (const { operations, isKill, seed, steps } of all) {
          const life = async (): Promise<void> => {
            const log = await open(sim, { whenFull: 'refuse', keepTailBytes: 1000 });
            for (const action of steps) {
              if (action.kind === 'append') {
                await Promise.allSettled(action.sizes.map(async (size) => acknowledged.add(await log.append(new Uint8Array(size)))));
                expect(log.stats().bytes).toBeLessThanOrEqual(maxBytes);
              } else {
                requested = Math.max(requested, log.stats().nextIndex - action.behind);
                await log.commit('r', Math.max(0, requested));
              }
            }
            await log.close();
          };
          const random = createSimRandom(seed);
          await Promise.race([isKill ? sim.killAfter(operations, random) : sim.crashAfter(operations, random), life()]);
          if (!isKill) sim.crash(random);
        }
        sim.crash(createSimRandom(0));
        const log = await open(sim, { maxBytes: 1e9 });
        const there = new Set(await indexesFrom(0, readOf(log)));
        for (const index of acknowledged) expect(index < requested || there.has(index), `record ${index}`).toBe(true);
      }),
      { numRuns: Number(process.env.NHIP_LOG_RUNS ?? 200) },
    );
  });
});
