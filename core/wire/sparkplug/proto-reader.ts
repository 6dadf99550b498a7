import { WireError } from '../wire-error.ts';

const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads protobuf primitives from a view of bytes. Every read is checked against `end`; wrong input throws WireError.
 * 64-bit numbers come as two unsigned 32-bit halves in `low` and `high`: no bigint and no object on the hot path.
 */
export class ProtoReader {
  bytes: Uint8Array;
  view: DataView;
  position: number;
  end: number;
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = 0;
    this.end = bytes.length;
  }

  /** Reads a varint of up to 10 bytes into `low` and `high`. */
  varint(): void {
    const { bytes, end } = this;
    let position = this.position;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (position >= end) throw truncated(position);
      const byte = bytes[position++] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high = (byte & 0x7f) >> 4;
      } else if (shift < 63) high |= (byte & 0x7f) << (shift - 32);
      else if (shift === 63) high |= (byte & 0x01) << 31;
      else throw new WireError('wire.malformed', `varint at byte ${this.position} is longer than 10 bytes`);
      if (byte < 0x80) break;
    }
    this.position = position;
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /** A varint that must fit 32 bits without sign: tags, lengths, types. */
  uint32(): number {
    const first = this.bytes[this.position] as number;
    if (this.position < this.end && first < 0x80) {
      this.position++;
      return first;
    }
    this.varint();
    if (this.high !== 0) throw new WireError('wire.malformed', `number before byte ${this.position} does not fit 32 bits`);
    return this.low;
  }

  /** The last varint as an unsigned number; above 2^53 it is rounded. */
  unsigned(): number {
    return this.high * 0x1_0000_0000 + this.low;
  }

  float(): number {
    const at = this.take(4);
    return this.view.getFloat32(at, true);
  }

  double(): number {
    const at = this.take(8);
    return this.view.getFloat64(at, true);
  }

  /** The end of a length-delimited field whose length stands at the position; the position is then at its start. */
  limit(): number {
    const length = this.uint32();
    const limit = this.position + length;
    if (limit > this.end) throw truncated(this.position);
    return limit;
  }

  text(): string {
    const limit = this.limit();
    const text = decodeText(this.bytes, this.position, limit);
    this.position = limit;
    return text;
  }

  /** Steps over a field of the wire type of `tag`. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.take(8);
        return;
      case 2:
        this.position = this.limit();
        return;
      case 5:
        this.take(4);
        return;
      default:
        throw new WireError('wire.malformed', `wire type ${tag & 7} before byte ${this.position} is not allowed`);
    }
  }

  take(count: number): number {
    const at = this.position;
    if (at + count > this.end) throw truncated(at);
    this.position = at + count;
    return at;
  }
}

function truncated(position: number): WireError {
  return new WireError('wire.truncated', `payload ends inside a field at byte ${position}`);
}

/** UTF-8 to string; short ASCII, the usual case for metric names, without the decoder. Throws WireError on invalid UTF-8. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 24) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  try {
    return textDecoder.decode(bytes.subarray(start, end));
  } catch {
    throw new WireError('wire.malformed', `text at byte ${start} is not valid UTF-8`);
  }
}
