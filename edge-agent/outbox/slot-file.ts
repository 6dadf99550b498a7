/**
 * One value that is replaced as a whole, in a file that never grows: two slots written in turns, so that a torn write leaves the other.
 *
 *     magic 8 | turn u64 | bytes u32 | crc u32 (over turn, bytes and content) | content
 *
 * Invariants: every byte of the file is written when it is made, so a later write needs no room on a full disk; what `write` made
 * durable is what `content` has after a restart, unless both slots are damaged.
 */
import { crc32 } from 'node:zlib';
import type { Disk, OpenFile } from '@nhip/core/process/env';
import { FatalError } from '@nhip/core/process/errors';

export const slotHeaderBytes = 24;
const magic = Buffer.from('NHIPSLT\n');

interface Slot {
  readonly turn: number;
  readonly content: Buffer;
}

export class SlotFile {
  /** What was there when it was opened; undefined for a new file and when both slots are damaged. */
  readonly content: Uint8Array | undefined;
  /** The file was there and neither slot could be read. */
  readonly isDamaged: boolean;
  private readonly file: OpenFile;
  private readonly slotBytes: number;
  private turn: number;

  private constructor(file: OpenFile, slotBytes: number, slot: Slot | undefined, isNew: boolean) {
    this.isDamaged = slot === undefined && !isNew;
    this.file = file;
    this.slotBytes = slotBytes;
    this.turn = slot?.turn ?? 0;
    this.content = slot?.content;
  }

  /** Opens `dir`/`name`, or makes it with two slots of `slotBytes`. Throws the disk's error; ENOSPC when a new file finds no room. */
  static async open(disk: Disk, dir: string, name: string, slotBytes: number): Promise<SlotFile> {
    const path = `${dir}/${name}`;
    if (!(await disk.readDir(dir)).includes(name)) {
      await create(disk, dir, name, slotBytes);
      return new SlotFile(await disk.open(path, 'write'), slotBytes, undefined, true);
    }
    const file = await disk.open(path, 'write');
    // The slots keep the size that they were made with.
    const madeBytes = Math.floor((await file.size()) / 2);
    const slot = await newestSlot(file, madeBytes);
    const opened = new SlotFile(file, madeBytes, slot, false);
    // After a failed sync the page cache shows what the disk lacks; written again to its own slot, it is really there.
    if (slot !== undefined) await opened.writeSlot(slot);
    return opened;
  }

  get maxContentBytes(): number {
    return this.slotBytes - slotHeaderBytes;
  }

  /** Durable when it resolves. Throws the disk's write error, or a FatalError `outbox.syncFailed`. Never called concurrently. */
  async write(content: Uint8Array): Promise<void> {
    if (content.length > this.maxContentBytes) throw new RangeError(`${content.length} bytes; a slot has ${this.maxContentBytes}`);
    await this.writeSlot({ turn: this.turn + 1, content: Buffer.from(content.buffer, content.byteOffset, content.length) });
    this.turn++;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async writeSlot({ turn, content }: Slot): Promise<void> {
    const header = Buffer.alloc(slotHeaderBytes);
    magic.copy(header);
    header.writeBigUInt64LE(BigInt(turn), 8);
    header.writeUInt32LE(content.length, 16);
    header.writeUInt32LE(crcOf(header, content), 20);
    await this.file.write(Buffer.concat([header, content]), (turn % 2) * this.slotBytes);
    try {
      await this.file.sync();
    } catch (error) {
      throw new FatalError('outbox.syncFailed', 'losses: the disk failed to sync; restart the process to see what it really holds', error);
    }
  }
}

/** The file appears whole under its name, or not at all. */
async function create(disk: Disk, dir: string, name: string, slotBytes: number): Promise<void> {
  const temporary = `${dir}/${name}.tmp`;
  const file = await disk.open(temporary, 'create');
  try {
    await file.write(new Uint8Array(2 * slotBytes), 0);
    await file.sync();
  } catch (error) {
    await file.truncate(0);
    throw error;
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${dir}/${name}`);
  await disk.syncDir(dir);
}

async function newestSlot(file: OpenFile, slotBytes: number): Promise<Slot | undefined> {
  const buffer = Buffer.alloc(2 * slotBytes);
  await file.read(buffer, 0);
  const [first, second] = [readSlot(buffer.subarray(0, slotBytes)), readSlot(buffer.subarray(slotBytes))];
  return first !== undefined && second !== undefined ? (first.turn > second.turn ? first : second) : (first ?? second);
}

function readSlot(slot: Buffer): Slot | undefined {
  if (slot.length < slotHeaderBytes || !slot.subarray(0, magic.length).equals(magic)) return undefined;
  const bytes = slot.readUInt32LE(16);
  if (slotHeaderBytes + bytes > slot.length) return undefined;
  const content = slot.subarray(slotHeaderBytes, slotHeaderBytes + bytes);
  return crcOf(slot, content) === slot.readUInt32LE(20) ? { turn: Number(slot.readBigUInt64LE(8)), content } : undefined;
}

function crcOf(header: Buffer, content: Buffer): number {
  return crc32(content, crc32(header.subarray(8, 20)));
}
