/**
 * Where named readers go on, durable. Two slots of 4 KiB in one file are written in turns, so that a torn write leaves the other:
 *
 *     magic 8 | seq u64 | bytes u32 | crc u32 (over seq, bytes and text) | JSON text {"log": <id>, "cursors": {"<reader>": <next index>, …}}
 *
 * Invariants: a cursor never goes back while its file is sound; `get` answers only what survives a power cut. When one slot is
 * damaged the older one counts; when both are, every reader starts again at 0 and may see records twice.
 */
import { crc32 } from 'node:zlib';
import type { Disk, OpenFile } from '../process/env.ts';
import { FatalError } from '../process/errors.ts';

const slotBytes = 4096;
const slotHeaderBytes = 24;
const magic = Buffer.from('NHIPCUR\n');

interface SlotContent {
  readonly logId: string;
  readonly seq: number;
  readonly cursors: ReadonlyMap<string, number>;
}

export class CursorFile {
  readonly logId: string;
  private readonly file: OpenFile;
  private durable: ReadonlyMap<string, number>;
  private seq: number;

  private constructor(file: OpenFile, content: SlotContent) {
    this.logId = content.logId;
    this.file = file;
    this.durable = content.cursors;
    this.seq = content.seq;
  }

  /**
   * Opens `dir`/`fileName`, or makes it for the log `newLogId`: when it is missing, and when no slot can be read (then
   * `onDamaged` is told).
   */
  static async open(disk: Disk, dir: string, fileName: string, newLogId: string, onDamaged: () => void): Promise<CursorFile> {
    const path = `${dir}/${fileName}`;
    if (!(await disk.readDir(dir)).includes(fileName)) {
      await createSlots(disk, dir, fileName, newLogId);
    }
    const file = await disk.open(path, 'write');
    const content = await readSlots(file);
    if (content !== undefined) {
      // After a failed sync the page cache shows what the disk lacks; written again to its own slot, it is really there.
      await writeSlot(file, content);
      return new CursorFile(file, content);
    }
    onDamaged();
    await file.close();
    await createSlots(disk, dir, fileName, newLogId);
    return new CursorFile(await disk.open(path, 'write'), { logId: newLogId, seq: 0, cursors: new Map() });
  }

  /** The durable cursor; 0 for a new reader. */
  get(reader: string): number {
    return this.durable.get(reader) ?? 0;
  }

  get highest(): number {
    return Math.max(0, ...this.durable.values());
  }

  /** Makes `wanted` durable on top of what is there. Throws the disk's write error, or a FatalError `log.syncFailed`. */
  async write(wanted: ReadonlyMap<string, number>): Promise<void> {
    const cursors = new Map([...this.durable, ...wanted]);
    const seq = this.seq + 1;
    await writeSlot(this.file, { logId: this.logId, seq, cursors });
    this.seq = seq;
    this.durable = cursors;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** The text of a slot whose CRC is right, so it is as it was written. */
interface SlotText {
  readonly log: string;
  readonly cursors: Record<string, number>;
}

/** Both slots are there from the start, under a name that appears whole: later writes need no room on a full disk. */
async function createSlots(disk: Disk, dir: string, fileName: string, logId: string): Promise<void> {
  const temporary = `${dir}/${fileName}.tmp`;
  const file = await disk.open(temporary, 'create');
  try {
    const empty = encodeSlot({ logId, seq: 0, cursors: new Map() });
    await file.write(Buffer.concat([empty, empty]), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${dir}/${fileName}`);
  await disk.syncDir(dir);
}

async function writeSlot(file: OpenFile, content: SlotContent): Promise<void> {
  await file.write(encodeSlot(content), (content.seq % 2) * slotBytes);
  try {
    await file.sync();
  } catch (error) {
    throw new FatalError('log.syncFailed', 'cursors: the disk failed to sync; restart the process to see what it really holds', error);
  }
}

/** Reads the newest sound slot of a cursor file; undefined when there is none. */
export async function readSlots(file: OpenFile): Promise<SlotContent | undefined> {
  const buffer = Buffer.alloc(2 * slotBytes);
  await file.read(buffer, 0);
  const [first, second] = [decodeSlot(buffer.subarray(0, slotBytes)), decodeSlot(buffer.subarray(slotBytes))];
  return first !== undefined && second !== undefined ? (first.seq > second.seq ? first : second) : (first ?? second);
}

function encodeSlot({ logId, seq, cursors }: SlotContent): Buffer {
  const text = JSON.stringify({ log: logId, cursors: Object.fromEntries(cursors) });
  const buffer = Buffer.alloc(slotBytes);
  const bytes = Buffer.byteLength(text);
  if (slotHeaderBytes + bytes > slotBytes) {
    throw new RangeError(
      `cursors: ${cursors.size} readers take ${bytes} bytes, ${slotBytes - slotHeaderBytes} fit; use fewer or shorter names`,
    );
  }
  magic.copy(buffer);
  buffer.writeBigUInt64LE(BigInt(seq), 8);
  buffer.writeUInt32LE(bytes, 16);
  buffer.write(text, slotHeaderBytes);
  buffer.writeUInt32LE(slotCrc(buffer, bytes), 20);
  return buffer;
}

function decodeSlot(buffer: Buffer): SlotContent | undefined {
  const bytes = buffer.readUInt32LE(16);
  const fits = slotHeaderBytes + bytes <= slotBytes;
  if (!buffer.subarray(0, magic.length).equals(magic) || !fits || slotCrc(buffer, bytes) !== buffer.readUInt32LE(20)) {
    return undefined;
  }
  const text: SlotText = JSON.parse(buffer.toString('utf8', slotHeaderBytes, slotHeaderBytes + bytes));
  return { logId: text.log, seq: Number(buffer.readBigUInt64LE(8)), cursors: new Map(Object.entries(text.cursors)) };
}

function slotCrc(buffer: Buffer, bytes: number): number {
  return crc32(buffer.subarray(slotHeaderBytes, slotHeaderBytes + bytes), crc32(buffer.subarray(8, 20)));
}
