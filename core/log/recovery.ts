import type { Disk } from '../process/env.ts';
import type { Log } from '../process/log.ts';
import { Quarantine } from './quarantine.ts';
import { checkRecord, damaged, isBatchEnd, recordOffset } from './record-format.ts';
import { Segment } from './segment.ts';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  parseSegmentFileName,
  type SegmentHeader,
  segmentFileName,
  segmentHeaderBytes,
} from './segment-header.ts';
import { nextSoundRecord, readBytes } from './segment-reader.ts';
import { SegmentSet } from './segment-set.ts';

interface RecoveredLog {
  readonly segments: SegmentSet;
  readonly quarantine: Quarantine;
  /** No index below this may be given out. */
  readonly nextIndex: number;
  /** Bytes of a torn or damaged end that were cut off. */
  readonly cutBytes: number;
  /** The log's id as the newest sound header has it. */
  readonly id: string | undefined;
}

interface FoundFile {
  readonly header: SegmentHeader;
  readonly headerIsDamaged: boolean;
  readonly size: number;
}

/**
 * Reads what a folder holds after whatever ended the last process. Only the last segment is scanned; the others keep their secrets
 * until they are read. What it leaves is synced: records that only the page cache knew are durable before anyone sees them.
 */
export async function recoverLog(disk: Disk, dir: string, log: Log): Promise<RecoveredLog> {
  const fileNames = await disk.readDir(dir);
  const quarantine = new Quarantine(disk, dir, log, fileNames);
  const found = await readHeaders(disk, dir, fileNames);
  const segments = new SegmentSet();
  // A name alone reserves its first index, even when nothing in the file could have been acknowledged.
  let nextIndex = found.at(-1)?.header.firstIndex ?? 0;
  let cutBytes = 0;
  const kept = await dropEmptyFiles(disk, dir, found);
  for (const [i, file] of kept.entries()) {
    const next = kept[i + 1];
    const segment = new Segment(disk, dir, file.header, file.size, next?.header.previousEnd ?? file.header.firstIndex);
    if (next === undefined) {
      cutBytes = await recoverTail(disk, segment, file.headerIsDamaged, quarantine, log);
      nextIndex = Math.max(nextIndex, segment.endIndex);
    }
    segments.add(segment);
    if (file.headerIsDamaged) {
      log.error(
        { file: segment.path },
        'A log segment has a damaged header; its records are read by its name. Check the disk; a copy of the file is kept.',
      );
      await quarantine.keepCopy(segment);
    }
  }
  await disk.syncDir(dir);
  const id = found.findLast((file) => !file.headerIsDamaged)?.header.logId;
  return { segments, quarantine, nextIndex, cutBytes, id };
}

async function readHeaders(disk: Disk, dir: string, fileNames: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const fileName of fileNames) {
    const name = parseSegmentFileName(fileName);
    if (name === undefined) {
      continue;
    }
    const path = `${dir}/${fileName}`;
    const file = await disk.open(path, 'read');
    try {
      const buffer = Buffer.alloc(segmentHeaderBytes);
      await file.read(buffer, 0);
      const header = decodeSegmentHeader(buffer, name, path);
      const fallback = { ...name, previousEnd: name.firstIndex, createdMs: 0, logId: '' };
      found.push({ header: header ?? fallback, headerIsDamaged: header === undefined, size: await file.size() });
    } finally {
      await file.close();
    }
  }
  return found.sort((a, b) => a.header.firstIndex - b.header.firstIndex || a.size - b.size);
}

/** Files without a record: only the last one can be of use, when its header was written whole. */
async function dropEmptyFiles(disk: Disk, dir: string, found: readonly FoundFile[]): Promise<FoundFile[]> {
  const kept: FoundFile[] = [];
  for (const file of found) {
    const isLast = file === found.at(-1);
    if (file.size > segmentHeaderBytes || (isLast && !file.headerIsDamaged)) {
      kept.push(file);
    } else {
      await disk.unlink(`${dir}/${segmentFileName(file.header)}`);
    }
  }
  return kept;
}

/**
 * Scans the last segment, skips damage that has sound records behind it, and cuts a torn end off. The last batch is written again
 * and synced: after a failed sync the page cache shows it although the disk lacks it, and a sync alone would not help. Answers how many
 * bytes were cut off.
 */
async function recoverTail(disk: Disk, segment: Segment, headerIsDamaged: boolean, quarantine: Quarantine, log: Log): Promise<number> {
  const fileSize = segment.size;
  const content = await readBytes(segment, 0, fileSize);
  const { end, lastBatch } = await scanTail(segment, content, quarantine);
  segment.size = end;
  if (lastBatch === segmentHeaderBytes && !headerIsDamaged) {
    encodeSegmentHeader(segment.header).copy(content);
  }
  const rewriteFrom = lastBatch === segmentHeaderBytes ? 0 : lastBatch;
  const file = await disk.open(segment.path, 'write');
  try {
    await file.write(content.subarray(rewriteFrom, end), rewriteFrom);
    if (end < fileSize) {
      log.warn({ file: segment.path, cutBytes: fileSize - end }, 'The log ended in a torn record, as after a power cut; it was cut off.');
      await file.truncate(end);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return fileSize - end;
}

/** `end`: the position behind the last sound record. `lastBatch`: where the last batch begins. */
async function scanTail(segment: Segment, content: Buffer, quarantine: Quarantine): Promise<{ end: number; lastBatch: number }> {
  const { firstIndex, salt } = segment.header;
  let at = segmentHeaderBytes;
  let lastBatch = at;
  let batchEnded = false;
  while (at < content.length) {
    const size = checkRecord(content, at, salt);
    const index = size > 0 ? firstIndex + recordOffset(content, at) : damaged;
    if (index >= segment.endIndex) {
      segment.note(index, at);
      segment.endIndex = index + 1;
      lastBatch = batchEnded ? at : lastBatch;
      batchEnded = isBatchEnd(content, at);
      at += size;
      continue;
    }
    const next = nextSoundRecord(segment, { index: segment.endIndex, position: at }, content.subarray(at));
    if (next === undefined) {
      break;
    }
    segment.damage.set(at, Promise.resolve(next));
    await quarantine.report(segment, at, next.index - segment.endIndex);
    segment.endIndex = next.index;
    at = next.position;
  }
  return { end: at, lastBatch };
}
