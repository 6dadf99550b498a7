import type { Disk } from '../process/env.ts';
import type { Log } from '../process/log.ts';
import type { Segment } from './segment.ts';

const suffix = '.quarantine';
/** Copies kept per log: enough for a diagnosis, and a bound on the disk they take. */
const maxCopies = 8;
const copyChunkBytes = 1024 * 1024;

/** Counts what damage cost, says it once per place, and keeps a copy of the damaged file. */
export class Quarantine {
  /** Records lost to damage since the log was opened. */
  lostRecords = 0;

  private readonly disk: Disk;
  private readonly dir: string;
  private readonly log: Log;
  private readonly copies = new Map<string, Promise<void>>();

  constructor(disk: Disk, dir: string, log: Log, fileNames: readonly string[]) {
    this.disk = disk;
    this.dir = dir;
    this.log = log;
    for (const name of fileNames.filter((fileName) => fileName.endsWith(suffix))) {
      this.copies.set(name, Promise.resolve());
    }
  }

  /** `lost` records of `segment` cannot be read; `position` is where in its file the damage begins. */
  async report(segment: Segment, position: number, lost: number): Promise<void> {
    this.lostRecords += lost;
    this.log.error(
      { file: segment.path, position, lostRecords: lost },
      'Damaged log records are skipped. Check the disk; a copy of the file is kept.',
    );
    await this.keepCopy(segment);
  }

  /** A copy that fails is only logged: it must not keep the records behind the damage from being read. */
  async keepCopy(segment: Segment): Promise<void> {
    const name = segment.fileName + suffix;
    if (!this.copies.has(name) && this.copies.size < maxCopies) {
      this.copies.set(
        name,
        this.copy(segment, `${this.dir}/${name}`).catch((error: unknown) => {
          this.log.warn({ err: error, file: segment.path }, 'The copy of a damaged log file could not be kept.');
        }),
      );
    }
    await this.copies.get(name);
  }

  private async copy(segment: Segment, path: string): Promise<void> {
    const target = await this.disk.open(path, 'create');
    try {
      await segment.withFile(async (source) => {
        const buffer = Buffer.allocUnsafe(copyChunkBytes);
        for (let position = 0; ; ) {
          const count = await source.read(buffer, position);
          if (count === 0) {
            break;
          }
          await target.write(buffer.subarray(0, count), position);
          position += count;
        }
      });
      await target.sync();
    } finally {
      await target.close();
    }
    await this.disk.syncDir(this.dir);
  }
}
