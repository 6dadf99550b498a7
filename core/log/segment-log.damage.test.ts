/** Bit rot: whatever bits flip, the log opens, and at most the records that were hit are missing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../process/log.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk, type SimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { LogBus, LogRecord } from './log-bus.ts';
import { openSegmentLog } from './segment-log.ts';

async function openSim(sim: SimDisk, seed = 1): Promise<LogBus> {
  const env = { clock: createSimClock(), random: createSimRandom(seed), disk: sim.boot() };
  return openSegmentLog(env, 'log', { segmentBytes: 1500, commitDelayMs: 0, maxBytes: 1e9, readers: ['r'], log: silentLog() });
}

async function readAll(log: LogBus): Promise<readonly LogRecord[]> {
  return log.read(0, { maxRecords: 1e6, maxBytes: 1e9, waitMs: 0 });
}

const logFiles = (sim: SimDisk): string[] =>
  sim
    .files()
    .filter((path) => path.endsWith('.log'))
    .sort();
const payloadOf = (i: number, size: number): Buffer => Buffer.alloc(size + 4, i + 1);

async function filled(sizes: readonly number[], seed = 1): Promise<SimDisk> {
  const sim = createSimDisk();
  const log = await openSim(sim, seed);
  for (const [i, size] of sizes.entries()) {
    await log.append(payloadOf(i, size));
  }
  await log.close();
  return sim;
}

describe('a damaged log', () => {
  it('opens with any flipped bits and hides nothing but the records that were hit', async () => {
    const sizes = fc.array(fc.nat(300), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.integer(), sizes, fc.integer({ min: 1, max: 4 }), async (seed, recordSizes, flips) => {
        const random = createSimRandom(seed);
        const sim = await filled(recordSizes);
        const files = logFiles(sim);
        for (let i = 0; i < flips; i++) {
          sim.flipBit(files[Math.floor(random.next() * files.length)] ?? '', random);
        }
        const log = await openSim(sim);
        const records = await readAll(log);
        for (const { index, payload } of records) {
          expect(Buffer.from(payload).equals(payloadOf(index, recordSizes[index] ?? 0))).toBe(true);
        }
        const indexes = records.map(({ index }) => index);
        expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
        expect(new Set(indexes).size).toBe(indexes.length);
        expect(recordSizes.length - records.length).toBeLessThanOrEqual(flips);
        // Only at the very end damage cannot be told from a torn write.
        const counted = records.length + log.stats().quarantinedRecords;
        expect(log.stats().nextIndex).toBe(counted);
        expect(await readAll(log)).toHaveLength(records.length);
        expect(log.stats().nextIndex).toBe(counted);
        const added = await log.append(Buffer.from('added'));
        expect(added).toBeGreaterThan(indexes.at(-1) ?? -1);
        expect((await readAll(log)).at(-1)).toMatchObject({ index: added });
      }),
      { numRuns: 200 },
    );
  });

  it('reads a segment whose header is unreadable by its name, and keeps a copy', async () => {
    const sim = await filled(Array.from({ length: 60 }, () => 60));
    const files = logFiles(sim);
    for (const path of files) {
      sim.content(path).fill(0, 0, 64);
    }
    const log = await openSim(sim);
    expect(await readAll(log)).toHaveLength(60);
    expect(sim.files().filter((path) => path.endsWith('.quarantine'))).toHaveLength(Math.min(8, files.length));
    expect(await log.append(new Uint8Array(1))).toBe(60);
  });

  it('is not fooled by a payload that contains a piece of a log', async () => {
    const inner = await filled([10, 10, 10], 2);
    const piece = Buffer.from(inner.content(logFiles(inner)[0] ?? ''));
    const sim = createSimDisk();
    const log = await openSim(sim);
    for (const payload of [Buffer.from('first'), piece, Buffer.from('last')]) {
      await log.append(payload);
    }
    await log.close();
    const path = logFiles(sim)[0] ?? '';
    const content = sim.content(path);
    const at = Buffer.from(content).indexOf(piece);
    content[at] = (content[at] ?? 0) ^ 1;
    const again = await openSim(sim);
    expect((await readAll(again)).map(({ index, payload }) => `${index}:${Buffer.from(payload).toString()}`)).toEqual([
      '0:first',
      '2:last',
    ]);
    expect(again.stats().quarantinedRecords).toBe(1);
  });

  it('keeps its id and the older cursor when a cursor slot is damaged, and its id when both are', async () => {
    const sim = createSimDisk();
    const log = await openSim(sim);
    await log.append(new Uint8Array(1));
    await log.commit('r', 1);
    await log.commit('r', 2);
    await log.close();
    const slots = sim.content('log/cursors');
    slots.fill(0, 0, 100);
    const older = await openSim(sim);
    expect(older.cursor('r')).toBe(1);
    expect(older.id).toBe(log.id);
    await older.close();
    slots.fill(0);
    sim.content('log/cursors').fill(0);
    const none = await openSim(sim);
    expect(none.cursor('r')).toBe(0);
    expect(none.id).toBe(log.id);
  });

  it('cuts a torn end off and goes on behind it', async () => {
    const sim = await filled([50, 50, 50]);
    const path = logFiles(sim)[0] ?? '';
    const file = await sim.boot().open(path, 'write');
    await file.truncate((await file.size()) - 10);
    const log = await openSim(sim);
    expect(await readAll(log)).toHaveLength(2);
    expect(await log.append(payloadOf(2, 20))).toBe(2);
    await log.close();
    expect(await readAll(await openSim(sim))).toHaveLength(3);
  });
});
