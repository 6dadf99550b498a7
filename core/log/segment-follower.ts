import type { Disk } from '../process/env.ts';
import { hasCode } from './disk-errors.ts';
import { checkRecord, damaged, incomplete, isBatchEnd, recordOffset } from './record-format.ts';
import { type RecordPlace, Segment } from './segment.ts';
import {
  decodeSegmentHeader,
  parseSegmentFileName,
  type SegmentHeader,
  type SegmentName,
  segmentFileName,
  segmentHeaderBytes,
} from './segment-header.ts';
import { nextSoundRecord, readBytes } from './segment-reader.ts';
import { SegmentSet } from './segment-set.ts';

/** A place that stays unreadable for so many looks is damage, not a write that is under way. */
const looksBeforeDamage = 20;

/**
 * Follows the segment files that another process writes. Of the last file only whole batches count: a batch that is being written,
 * or that will be taken back because the disk is full, has no end yet.
 */
export class SegmentFollower {
  readonly segments = new SegmentSet();
  private readonly disk: Disk;
  private readonly dir: string;
  private stuck = { position: 0, looks: 0 };

  constructor(disk: Disk, dir: string) {
    this.disk = disk;
    this.dir = dir;
  }

  /** Index behind the last record that is known to be whole and durable. */
  get endIndex(): number {
    return this.segments.last?.endIndex ?? 0;
  }

  /** Looks at the folder and at what the last file got. False when the look was cut short by a file that went; the next one goes on. */
  async refresh(): Promise<boolean> {
    try {
      await this.refreshFiles();
      if (this.segments.last !== undefined) {
        await this.refreshTail(this.segments.last);
      }
      return true;
    } catch (error) {
      // The writer deleted a file between two looks.
      if (!hasCode(error, 'ENOENT')) {
        throw error;
      }
      return false;
    }
  }

  private async refreshFiles(): Promise<void> {
    const names: SegmentName[] = [];
    for (const fileName of await this.disk.readDir(this.dir)) {
      const name = parseSegmentFileName(fileName);
      if (name !== undefined) {
        names.push(name);
      }
    }
    names.sort((a, b) => a.firstIndex - b.firstIndex);
    const fileNames = new Set(names.map(segmentFileName));
    for (const segment of this.segments.takeMissing(fileNames)) {
      await segment.retire();
    }
    const known = new Set(this.segments.list.map((segment) => segment.fileName));
    const firstNewIndex = this.segments.last?.firstIndex ?? 0;
    for (const name of names.filter((candidate) => candidate.firstIndex >= firstNewIndex && !known.has(segmentFileName(candidate)))) {
      const header = await this.readHeader(name);
      if (header === undefined && name === names.at(-1)) {
        break;
      }
      await this.addSegment(header ?? { ...name, previousEnd: name.firstIndex, createdMs: 0, logId: '' });
    }
  }

  private async readHeader(name: SegmentName): Promise<SegmentHeader | undefined> {
    const path = `${this.dir}/${segmentFileName(name)}`;
    const file = await this.disk.open(path, 'read');
    try {
      const buffer = Buffer.alloc(segmentHeaderBytes);
      await file.read(buffer, 0);
      return decodeSegmentHeader(buffer, name, path);
    } finally {
      await file.close();
    }
  }

  /** A new file tells where the one before it ended; the writer synced that one before. */
  private async addSegment(header: SegmentHeader): Promise<void> {
    const previous = this.segments.last;
    if (previous !== undefined) {
      const size = await previous.withFile((file) => file.size());
      this.segments.grow(previous, size - previous.size);
      previous.endIndex = header.previousEnd;
    }
    this.segments.add(new Segment(this.disk, this.dir, header, segmentHeaderBytes, header.firstIndex));
  }

  private async refreshTail(segment: Segment): Promise<void> {
    const size = await segment.withFile((file) => file.size());
    if (size <= segment.size) {
      return;
    }
    const buffer = await readBytes(segment, segment.size, size - segment.size);
    const end = this.lastBatchEnd(segment, buffer);
    if (end !== undefined) {
      await segment.withFile((file) => file.sync());
      this.segments.grow(segment, end.position - segment.size);
      segment.endIndex = end.index;
    }
  }

  /** The place behind the last whole batch in `buffer`, which is the file from the segment's known size on. */
  private lastBatchEnd(segment: Segment, buffer: Buffer): RecordPlace | undefined {
    const { firstIndex, salt } = segment.header;
    let end: RecordPlace | undefined;
    let place: RecordPlace = { index: segment.endIndex, position: segment.size };
    for (;;) {
      const at = place.position - segment.size;
      const size = checkRecord(buffer, at, salt);
      const index = size > 0 ? firstIndex + recordOffset(buffer, at) : damaged;
      if (index >= place.index) {
        place = { index: index + 1, position: place.position + size };
        if (isBatchEnd(buffer, at)) {
          end = place;
        }
      } else {
        const next =
          size === incomplete || !this.isDamage(place.position) ? undefined : nextSoundRecord(segment, place, buffer.subarray(at));
        if (next === undefined) {
          return end;
        }
        place = next;
      }
    }
  }

  private isDamage(position: number): boolean {
    this.stuck = { position, looks: position === this.stuck.position ? this.stuck.looks + 1 : 1 };
    return this.stuck.looks >= looksBeforeDamage;
  }
}
