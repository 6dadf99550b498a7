import type { Random } from '../env.ts';

/** What a disk writes in one piece: a write can tear between two of these. */
const sectorBytes = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly data: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

/** Bytes that grow; a gap that a write leaves reads as zeros. */
class GrowingBytes {
  size = 0;
  private buffer = new Uint8Array(0);

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.size);
  }

  write(position: number, data: Uint8Array): void {
    const end = position + data.length;
    if (end > this.buffer.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.buffer.length));
      larger.set(this.bytes);
      this.buffer = larger;
    }
    this.buffer.set(data, position);
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    if (size < this.size) {
      this.buffer.fill(0, size, this.size);
      this.size = size;
    } else if (size > this.size) {
      this.write(size - 1, new Uint8Array(1));
    }
  }

  become(other: GrowingBytes): void {
    this.buffer = other.bytes.slice();
    this.size = other.size;
  }
}

/** The content of one file: what programs see, what the disk holds, and the changes between the two. */
export class SimFile {
  readonly visible = new GrowingBytes();
  private readonly durable = new GrowingBytes();
  private unsynced: Change[] = [];

  write(position: number, data: Uint8Array): void {
    if (data.length > 0) {
      const change = { kind: 'write', position, data: data.slice() } as const;
      this.unsynced.push(change);
      apply(this.visible, change);
    }
  }

  truncate(size: number): void {
    const change = { kind: 'truncate', size } as const;
    this.unsynced.push(change);
    apply(this.visible, change);
  }

  sync(): void {
    for (const change of this.unsynced) {
      apply(this.durable, change);
    }
    this.unsynced = [];
  }

  /**
   * A sync that fails as on Linux: the changes stay visible and count as written, so that a later sync succeeds without them.
   * They are gone at the next power cut.
   */
  failSync(): void {
    this.unsynced = [];
  }

  /** A power cut: of the unsynced changes none, all, the first few or any sectors arrive. */
  crash(random: Random): void {
    const chance = ([0, 1, 0.5, random.next()] as const)[Math.floor(random.next() * 4)] ?? 0;
    const inOrder = random.next() < 0.5;
    let someLost = false;
    for (const change of this.unsynced) {
      for (const part of parts(change)) {
        const arrives: boolean = !(inOrder && someLost) && random.next() < chance;
        someLost ||= !arrives;
        if (arrives) {
          apply(this.durable, part);
        } else if (part.kind === 'write' && part.position >= this.durable.size && random.next() < 0.2) {
          // The new length arrived, the data did not.
          apply(this.durable, { ...part, data: new Uint8Array(part.data.length) });
        }
      }
    }
    this.unsynced = [];
    this.visible.become(this.durable);
  }

  /** Changes one bit where it is stored and where it is seen. */
  flipBit(bit: number): void {
    const position = bit >>> 3;
    for (const content of [this.visible, this.durable]) {
      if (position < content.size) {
        content.bytes[position] = (content.bytes[position] ?? 0) ^ (1 << (bit & 7));
      }
    }
  }
}

function apply(content: GrowingBytes, change: Change): void {
  if (change.kind === 'write') {
    content.write(change.position, change.data);
  } else {
    content.truncate(change.size);
  }
}

/** A write in pieces that do not cross a sector's border. */
function parts(change: Change): readonly Change[] {
  if (change.kind === 'truncate') {
    return [change];
  }
  const pieces: Change[] = [];
  for (let from = 0; from < change.data.length; ) {
    const border = sectorBytes - ((change.position + from) % sectorBytes);
    pieces.push({ kind: 'write', position: change.position + from, data: change.data.subarray(from, from + border) });
    from += border;
  }
  return pieces;
}
