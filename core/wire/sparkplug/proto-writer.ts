const textEncoder = new TextEncoder();

/** Writes protobuf primitives into one growing buffer. `finish()` returns a copy; the writer can then be reset and used again. */
export class ProtoWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** An unsigned number up to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** An unsigned 64-bit number in two halves. */
  varint64(low: number, high: number): void {
    this.#reserve(10);
    let l = low >>> 0;
    let h = high >>> 0;
    while (h > 0 || l > 0x7f) {
      this.#bytes[this.#length++] = (l & 0x7f) | 0x80;
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#bytes[this.#length++] = l;
  }

  float(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  text(value: string): void {
    this.#reserve(value.length * 3 + 5);
    const start = this.#length;
    const { written } = textEncoder.encodeInto(value, this.#bytes.subarray(start + 1));
    if (written < 0x80) {
      this.#bytes[start] = written;
      this.#length = start + 1 + written;
      return;
    }
    this.bytes(textEncoder.encode(value));
  }

  /** Length-delimited bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes what `write` writes as a length-delimited message. */
  message(write: () => void): void {
    this.#reserve(5);
    const start = this.#length;
    this.#length += 1;
    write();
    const size = this.#length - start - 1;
    if (size < 0x80) {
      this.#bytes[start] = size;
      return;
    }
    const prefix = size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5;
    this.#reserve(prefix);
    this.#bytes.copyWithin(start + prefix, start + 1, this.#length);
    this.#length = start;
    this.varint(size);
    this.#length = start + prefix + size;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
