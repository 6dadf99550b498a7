import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CursorFile } from '@nhip/core/log/cursor-file';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLogPlace, setBackCursor } from './log-place.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-place-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A log that keeps no tail: what the reader is done with goes when the next segment begins or the log is opened. */
function openLog(): Promise<LogBus> {
  const options = { segmentBytes: 4096, maxBytes: 1_000_000, keepTailBytes: 0, readers: ['ingest'], log: silentLog() };
  return openSegmentLog(createNodeEnv(folder), 'log', options);
}

describe('the place of a log', () => {
  it('is told by its files: none, an id, the first index that is there', async () => {
    expect(await readLogPlace(folder)).toBeUndefined();
    const log = await openLog();
    for (let i = 0; i < 20; i++) await log.append(Buffer.alloc(1000, i));
    await log.close();
    expect(await readLogPlace(folder)).toEqual({ id: log.id, firstIndex: 0 });
  });

  it('put back, the log holds at the next start what it would have deleted, and hands it out', async () => {
    const log = await openLog();
    for (let i = 0; i < 20; i++) await log.append(Buffer.alloc(1000, i));
    await log.close();
    // As a server that was killed leaves it: the cursor is durable, the deletion was still to come.
    const done = await openLog();
    const first = done.stats().firstIndex;
    await done.close();
    expect(first).toBe(0);
    const cursors = await CursorFile.open(createNodeEnv(folder).disk, 'log', 'cursors', log.id, () => {});
    await cursors.write(new Map([['ingest', 20]]));
    await cursors.close();

    await setBackCursor(folder, 'ingest', 7);
    const again = await openLog();
    expect(again.cursor('ingest')).toBe(7);
    const [record] = await again.read(7, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
    expect(record).toMatchObject({ index: 7 });
    expect(await again.append(Buffer.alloc(10))).toBe(20);
    await again.close();
  });

  it('is never put forward, and a log without segments keeps its numbering', async () => {
    const log = await openLog();
    for (let i = 0; i < 3; i++) await log.append(Buffer.alloc(10));
    await log.commit('ingest', 2);
    await log.close();
    await setBackCursor(folder, 'ingest', 3);
    const again = await openLog();
    expect(again.cursor('ingest')).toBe(2);
    await again.close();
    await setBackCursor(join(folder, 'elsewhere'), 'ingest', 0);
  });
});
