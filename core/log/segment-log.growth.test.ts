import { describe, expect, it } from 'vitest';
import type { Disk, Env } from '../process/env.ts';
import { silentLog } from '../process/log.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { LogBus, LogRecord } from './log-bus.ts';
import { openLogReader } from './log-reader.ts';
import { openSegmentLog } from './segment-log.ts';

const limits = { maxRecords: 1000, maxBytes: 1e6, waitMs: 0 };
const options = { segmentBytes: 1000, commitDelayMs: 0, maxBytes: 1e6, readers: ['r'], log: silentLog() };

/** A disk on which the next read of records ends only when `meanwhile` has. */
function slowOnce(disk: Disk): Disk & { duringNextRead(meanwhile: () => Promise<unknown>): void } {
  let next: (() => Promise<unknown>) | undefined;
  return {
    ...disk,
    duringNextRead: (meanwhile) => {
      next = meanwhile;
    },
    async open(path, mode) {
      const file = await disk.open(path, mode);
      if (mode !== 'read' || !path.endsWith('.log')) return file;
      return {
        ...file,
        async read(buffer, position) {
          const meanwhile = next;
          next = undefined;
          const count = await file.read(buffer, position);
          await meanwhile?.();
          return count;
        },
      };
    },
  };
}

function slowEnv() {
  const disk = slowOnce(createSimDisk().boot());
  return { clock: createSimClock(), random: createSimRandom(1), disk } satisfies Env;
}

/** One more batch into the file that is being read, then one into the next file. */
async function growOverTheFilesEnd(log: LogBus): Promise<void> {
  await log.append(Buffer.from('the same file'));
  await log.append(Buffer.alloc(1000));
  expect(log.stats().segments).toBe(2);
}

const indexes = (records: readonly LogRecord[]): number[] => records.map(({ index }) => index);

describe('a log that grows while it is read', () => {
  it('skips nothing when the file that is being read gets another batch and the next file begins', async () => {
    const env = slowEnv();
    const log = await openSegmentLog(env, 'log', options);
    await log.append(Buffer.from('first'));
    env.disk.duringNextRead(() => growOverTheFilesEnd(log));
    expect(indexes(await log.read(0, limits))).toEqual([0, 1, 2]);
  });

  it('skips nothing in another process either, where a second reader looks at the files meanwhile', async () => {
    const env = slowEnv();
    const log = await openSegmentLog(env, 'log', options);
    await log.append(Buffer.from('first'));
    const reader = await openLogReader(env, 'log', { log: silentLog() });
    env.disk.duringNextRead(async () => {
      await growOverTheFilesEnd(log);
      expect(indexes(await reader.read(1, limits))).toEqual([1, 2]);
    });
    expect(indexes(await reader.read(0, limits))).toEqual([0, 1, 2]);
  });
});
