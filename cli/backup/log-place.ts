import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CursorFile, readSlots } from '@nhip/core/log/cursor-file';
import { parseSegmentFileName } from '@nhip/core/log/segment-header';
import { createNodeDisk } from '@nhip/core/process/node-disk';

/** What is in the folder of the server's log, from its file names alone: nobody needs to open it. */
export interface LogPlace {
  readonly id: string;
  /** First index that is still there; undefined when the log holds no segment. */
  readonly firstIndex: number | undefined;
}

const logDir = 'log';

/** undefined when there is no log. The server must not be running. */
export async function readLogPlace(serverDir: string): Promise<LogPlace | undefined> {
  if (!existsSync(join(serverDir, logDir, 'cursors'))) return undefined;
  const file = await createNodeDisk(serverDir).open(`${logDir}/cursors`, 'read');
  try {
    const id = (await readSlots(file))?.logId;
    if (id === undefined) return undefined;
    const firsts = readdirSync(join(serverDir, logDir)).flatMap((name) => parseSegmentFileName(name)?.firstIndex ?? []);
    return { id, firstIndex: firsts.length === 0 ? undefined : Math.min(...firsts) };
  } finally {
    await file.close();
  }
}

/**
 * Puts the cursor of `reader` back, so that the log holds what a restored store has not read yet: else the next start deletes
 * what is older than its kept tail, before ingest could read it. The server must not be running.
 */
export async function setBackCursor(serverDir: string, reader: string, nextIndex: number): Promise<void> {
  const place = await readLogPlace(serverDir);
  // A log without a segment has nothing to hold, and only its cursors know which numbers were used.
  if (place?.firstIndex === undefined) return;
  const cursors = await CursorFile.open(createNodeDisk(serverDir), logDir, 'cursors', place.id, () => {});
  try {
    if (nextIndex < cursors.get(reader)) await cursors.write(new Map([[reader, nextIndex]]));
  } finally {
    await cursors.close();
  }
}
