import type { Segment } from './segment.ts';

/** Files kept open for reading, besides the one that is written. */
const maxOpenFiles = 4;

/** The segments of a log, oldest first. */
export class SegmentSet {
  private readonly segments: Segment[] = [];
  private totalBytes = 0;

  get list(): readonly Segment[] {
    return this.segments;
  }

  get last(): Segment | undefined {
    return this.segments.at(-1);
  }

  get bytes(): number {
    return this.totalBytes;
  }

  add(segment: Segment): void {
    this.segments.push(segment);
    this.totalBytes += segment.size;
  }

  grow(segment: Segment, bytes: number): void {
    segment.size += bytes;
    this.totalBytes += bytes;
  }

  /** Takes the oldest `count` segments out of the set; their files are still there. */
  takeOldest(count: number): readonly Segment[] {
    const taken = this.segments.splice(0, count);
    for (const segment of taken) {
      this.totalBytes -= segment.size;
    }
    return taken;
  }

  /** Takes out the segments whose files are not among `fileNames`. */
  takeMissing(fileNames: ReadonlySet<string>): readonly Segment[] {
    const missing = this.segments.filter((segment) => !fileNames.has(segment.fileName));
    for (const segment of missing) {
      this.segments.splice(this.segments.indexOf(segment), 1);
      this.totalBytes -= segment.size;
    }
    return missing;
  }

  /** The first segment that can hold a record at or after `index`. */
  firstFrom(index: number): Segment | undefined {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.segments[middle]?.endIndex ?? 0) <= index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.segments[low];
  }

  async closeIdleFiles(): Promise<void> {
    const open = this.segments.filter((segment) => segment.hasOpenFile && segment !== this.last);
    for (const segment of open.slice(0, Math.max(0, open.length - maxOpenFiles))) {
      await segment.closeFile();
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.segments.map((segment) => segment.retire()));
  }
}
