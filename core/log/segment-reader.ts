import { RetryableError } from '../process/errors.ts';
import type { LogRecord } from './log-bus.ts';
import type { Quarantine } from './quarantine.ts';
import { checkRecord, damaged, findRecord, incomplete, recordHeaderBytes, recordOffset, recordSize } from './record-format.ts';
import type { RecordPlace, Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';

const minChunkBytes = 64 * 1024;
const maxChunkBytes = 512 * 1024;

/** Collects records until one of its limits is reached. */
export class ReadBudget {
  readonly records: LogRecord[] = [];
  private readonly maxRecords: number;
  private readonly maxBytes: number;
  private bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.maxRecords = Math.max(1, maxRecords);
    this.maxBytes = maxBytes;
  }

  get leftBytes(): number {
    return this.maxBytes - this.bytes;
  }

  /** False when the record no longer fits; the first always does. */
  take(record: LogRecord): boolean {
    const count = this.records.length;
    if (count >= this.maxRecords || (count > 0 && this.bytes + record.payload.length > this.maxBytes)) {
      return false;
    }
    this.records.push(record);
    this.bytes += record.payload.length;
    return true;
  }
}

/** Fills `budget` with the durable records at or after `index`, over all segments. */
export async function readRecords(segments: SegmentSet, index: number, budget: ReadBudget, quarantine: Quarantine): Promise<void> {
  let next = index;
  for (let segment = segments.firstFrom(next); segment !== undefined; segment = segments.firstFrom(next)) {
    const from = next;
    // As it is now: by the end of the read the segment may have grown by records that were not read.
    next = segment.endIndex;
    try {
      if (!(await readSegment(segment, from, budget, quarantine))) {
        break;
      }
    } catch (error) {
      // Deleted while it was being read: what it held was given up or done with, the next one goes on.
      if (!segment.retired) {
        throw error;
      }
    }
  }
  await segments.closeIdleFiles();
}

/**
 * Adds the segment's durable records at or after `index` to `budget`; skips damage and reports it once.
 * True when the segment was read to the end that it had at the call, false when the budget is used up.
 */
async function readSegment(segment: Segment, index: number, budget: ReadBudget, quarantine: Quarantine): Promise<boolean> {
  const end: RecordPlace = { index: segment.endIndex, position: segment.size };
  let place = segment.seek(index);
  let wantedBytes = 0;
  while (place.position < end.position) {
    const chunkBytes = Math.max(wantedBytes, Math.min(maxChunkBytes, Math.max(minChunkBytes, budget.leftBytes)));
    const askedBytes = Math.min(chunkBytes, end.position - place.position);
    const buffer = await readBytes(segment, place.position, askedBytes);
    const step = takeRecords(segment, place, buffer, index, budget);
    place = step.place;
    if (step.stop === 'full') {
      segment.noteResume(place.index, place.position);
      return false;
    }
    wantedBytes = step.wantedBytes;
    const cutShort = place.position < end.position && (place.position + wantedBytes > end.position || buffer.length < askedBytes);
    if (step.stop === 'damaged' || cutShort) {
      wantedBytes = 0;
      place = await skipDamage(segment, place, end, quarantine);
    }
  }
  segment.noteResume(place.index, place.position);
  return true;
}

interface Step {
  readonly place: RecordPlace;
  readonly stop: 'full' | 'damaged' | 'bufferEnd';
  /** Bytes that the record at `place` needs. */
  readonly wantedBytes: number;
}

function takeRecords(segment: Segment, from: RecordPlace, buffer: Buffer, index: number, budget: ReadBudget): Step {
  const { firstIndex, salt } = segment.header;
  let expectedIndex = from.index;
  let at = 0;
  const step = (stop: Step['stop'], wantedBytes = 0): Step => ({
    place: { index: expectedIndex, position: from.position + at },
    stop,
    wantedBytes,
  });
  for (;;) {
    const size = checkRecord(buffer, at, salt);
    if (size === incomplete) {
      const headerIsThere = at + recordHeaderBytes <= buffer.length;
      return step('bufferEnd', headerIsThere ? recordSize(buffer, at) : recordHeaderBytes);
    }
    const found = size === damaged ? -1 : firstIndex + recordOffset(buffer, at);
    if (found < expectedIndex) {
      return step('damaged');
    }
    if (found >= index && !budget.take({ index: found, payload: buffer.subarray(at + recordHeaderBytes, at + size) })) {
      return step('full');
    }
    segment.note(found, from.position + at);
    expectedIndex = found + 1;
    at += size;
  }
}

/** The place of the next sound record behind the damage at `place`, or `end`. Looks and reports once per damaged place. */
function skipDamage(segment: Segment, place: RecordPlace, end: RecordPlace, quarantine: Quarantine): Promise<RecordPlace> {
  const known = segment.damage.get(place.position);
  if (known !== undefined) {
    return known;
  }
  const looking = lookBehindDamage(segment, place, end, quarantine).catch((error: unknown) => {
    segment.damage.delete(place.position);
    throw error;
  });
  segment.damage.set(place.position, looking);
  return looking;
}

async function lookBehindDamage(segment: Segment, place: RecordPlace, end: RecordPlace, quarantine: Quarantine): Promise<RecordPlace> {
  const rest = await readBytes(segment, place.position, end.position - place.position);
  const next = nextSoundRecord(segment, place, rest) ?? end;
  await quarantine.report(segment, place.position, Math.max(0, next.index - place.index));
  return next;
}

/** The first sound record behind the damage at `place`; `rest` is the file from there on. */
export function nextSoundRecord(segment: Segment, place: RecordPlace, rest: Buffer): RecordPlace | undefined {
  const { firstIndex, salt } = segment.header;
  const at = findRecord(rest, 1, place.index - firstIndex, salt);
  return at < 0 ? undefined : { index: firstIndex + recordOffset(rest, at), position: place.position + at };
}

/** Reads exactly `bytes` at `position` of the segment's file into a fresh buffer. Throws RetryableError `log.readFailed`. */
export async function readBytes(segment: Segment, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let count: number;
  try {
    count = await segment.withFile((file) => file.read(buffer, position));
  } catch (error) {
    throw new RetryableError('log.readFailed', `${segment.path}: reading ${bytes} bytes at ${position} failed; check the disk`, {
      cause: error,
    });
  }
  return buffer.subarray(0, count);
}
