import type { Disk, OpenFile } from '../process/env.ts';
import { type SegmentHeader, segmentFileName, segmentHeaderBytes } from './segment-header.ts';

/** Distance in bytes between two entries of the sparse index. */
const sparseStepBytes = 64 * 1024;
/** How many readers can go on exactly where they stopped. */
const keptResumePoints = 8;

/** Where a record begins. `position` counts bytes from the start of the file. */
export interface RecordPlace {
  readonly index: number;
  readonly position: number;
}

/** One segment file: its range, its durable size, its open file, and what was learnt about record positions. */
export class Segment {
  readonly fileName: string;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Index behind its last durable record. */
  endIndex: number;
  /** Durable bytes, header included. */
  size: number;
  /** Damaged places met so far, by position: where reading goes on. */
  readonly damage = new Map<number, Promise<RecordPlace>>();
  /** True once the log no longer has the segment; reading it may then fail. */
  retired = false;

  private readonly disk: Disk;
  private readonly sparse: RecordPlace[] = [];
  private readonly resumePoints: RecordPlace[] = [];
  private opened: Promise<OpenFile> | undefined;
  private users = 0;

  constructor(disk: Disk, dir: string, header: SegmentHeader, size: number, endIndex: number) {
    this.disk = disk;
    this.header = header;
    this.fileName = segmentFileName(header);
    this.path = `${dir}/${this.fileName}`;
    this.size = size;
    this.endIndex = endIndex;
  }

  get firstIndex(): number {
    return this.header.firstIndex;
  }

  get hasOpenFile(): boolean {
    return this.opened !== undefined;
  }

  /** Tells where a sound record begins. Calls come in rising order per scan; repeats are cheap. */
  note(index: number, position: number): void {
    const last = this.sparse.at(-1);
    if (last === undefined ? position >= sparseStepBytes : position - last.position >= sparseStepBytes) {
      this.sparse.push({ index, position });
    }
  }

  /** Tells where a reader stopped, so that its next read starts there. */
  noteResume(index: number, position: number): void {
    this.resumePoints.push({ index, position });
    if (this.resumePoints.length > keptResumePoints) {
      this.resumePoints.shift();
    }
  }

  /** The nearest known place at or before `index`. */
  seek(index: number): RecordPlace {
    const resume = this.resumePoints.findLast((place) => place.index === index);
    if (resume !== undefined) {
      return resume;
    }
    let low = 0;
    let high = this.sparse.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sparse[middle]?.index ?? 0) <= index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.sparse[low - 1] ?? { index: this.firstIndex, position: segmentHeaderBytes };
  }

  /** Runs with the open file; it stays open afterwards, until `closeFile`. */
  async withFile<T>(run: (file: OpenFile) => Promise<T>): Promise<T> {
    this.users++;
    try {
      return await run(await this.openFile());
    } finally {
      this.users--;
      if (this.retired) {
        await this.closeFile();
      }
    }
  }

  private openFile(): Promise<OpenFile> {
    this.opened ??= this.disk.open(this.path, 'read').catch((error: unknown) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }

  /** Closes the file unless someone is reading; true when it is closed. */
  async closeFile(): Promise<boolean> {
    if (this.users > 0) {
      return false;
    }
    const opened = this.opened;
    this.opened = undefined;
    await opened?.then((file) => file.close());
    return true;
  }

  /** Closes the file as soon as nobody reads. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.closeFile();
  }
}
