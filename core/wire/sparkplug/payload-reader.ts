import { WireError } from '../wire-error.ts';
import { decodeText, ProtoReader } from './proto-reader.ts';

/** Protobuf field numbers of a metric's value (sparkplug_b.proto, message Payload.Metric). */
export const valueField = {
  none: 0,
  int: 10,
  long: 11,
  float: 12,
  double: 13,
  boolean: 14,
  string: 15,
  bytes: 16,
  dataSet: 17,
  template: 18,
  extension: 19,
} as const;

/**
 * Steps through the metrics of a payload without making an object for each.
 *
 * `new PayloadReader(bytes)` checks the outer framing and reads `timestampMs` and `seq`; each `next()` then fills the
 * fields with one metric. What the fields hold is valid until the following `next()`. Fields may stand in any order,
 * as protobuf allows. Wrong input throws WireError, in the constructor or in `next()`; it never reads past the end.
 */
export class PayloadReader {
  /** Payload time in ms UTC, or -1. */
  timestampMs = -1;
  /** 0–255, or -1 when the payload has none. */
  seq = -1;
  /** How many metrics the payload declares. */
  metricCount = 0;
  /** Tahu's compression extension is announced by this uuid; we never send it. */
  uuid = '';

  /** Alias, or -1. */
  alias = -1;
  /** Metric time in ms UTC, or -1. */
  metricTimestampMs = -1;
  /** Data type code, or 0. */
  dataType = 0;
  isHistorical = false;
  isTransient = false;
  isNull = false;
  field: number = valueField.none;
  /** Integer values: unsigned halves. */
  low = 0;
  high = 0;
  /** float, double, boolean (0 or 1). */
  number = 0;
  /** Start and end of string, bytes, data set, template. */
  start = 0;
  end = 0;
  propertiesStart = 0;
  propertiesEnd = 0;

  readonly proto: ProtoReader;
  readonly #total: number;
  #next: number;
  #nameStart = 0;
  #nameEnd = 0;

  constructor(bytes: Uint8Array) {
    this.proto = new ProtoReader(bytes);
    this.#total = bytes.length;
    this.#next = 0;
    this.#scanHeader();
  }

  get bytes(): Uint8Array {
    return this.proto.bytes;
  }

  get hasName(): boolean {
    return this.#nameEnd > this.#nameStart;
  }

  /** The metric's name, '' when it has none. */
  name(): string {
    return decodeText(this.bytes, this.#nameStart, this.#nameEnd);
  }

  next(): boolean {
    const proto = this.proto;
    proto.end = this.#total;
    proto.position = this.#next;
    while (proto.position < this.#total) {
      const tag = proto.uint32();
      if (tag !== 0x12) {
        proto.skip(tag);
        continue;
      }
      const limit = proto.limit();
      this.#next = limit;
      proto.end = limit;
      this.#readMetric(limit);
      return true;
    }
    this.#next = this.#total;
    return false;
  }

  #scanHeader(): void {
    const proto = this.proto;
    while (proto.position < proto.end) {
      const tag = proto.uint32();
      switch (tag) {
        case 0x08:
          proto.varint();
          this.timestampMs = proto.unsigned();
          break;
        case 0x12:
          this.metricCount++;
          proto.position = proto.limit();
          break;
        case 0x18:
          proto.varint();
          if (proto.high !== 0 || proto.low > 255) throw new WireError('wire.malformed', 'seq is above 255');
          this.seq = proto.low;
          break;
        case 0x22:
          this.uuid = proto.text();
          break;
        default:
          proto.skip(tag);
      }
    }
  }

  #readMetric(limit: number): void {
    const proto = this.proto;
    this.alias = -1;
    this.metricTimestampMs = -1;
    this.dataType = 0;
    this.isHistorical = false;
    this.isTransient = false;
    this.isNull = false;
    this.field = valueField.none;
    this.#nameStart = 0;
    this.#nameEnd = 0;
    this.propertiesStart = 0;
    this.propertiesEnd = 0;
    while (proto.position < limit) {
      const tag = proto.uint32();
      switch (tag) {
        case 0x0a:
          this.#nameEnd = proto.limit();
          this.#nameStart = proto.position;
          proto.position = this.#nameEnd;
          break;
        case 0x10:
          proto.varint();
          this.alias = proto.unsigned();
          break;
        case 0x18:
          proto.varint();
          this.metricTimestampMs = proto.unsigned();
          break;
        case 0x20:
          this.dataType = proto.uint32();
          break;
        case 0x28:
          this.isHistorical = this.#flag();
          break;
        case 0x30:
          this.isTransient = this.#flag();
          break;
        case 0x38:
          this.isNull = this.#flag();
          break;
        case 0x4a:
          this.propertiesEnd = proto.limit();
          this.propertiesStart = proto.position;
          proto.position = this.propertiesEnd;
          break;
        case 0x50:
        case 0x58:
          proto.varint();
          this.low = proto.low;
          this.high = proto.high;
          this.field = tag >> 3;
          break;
        case 0x65:
          this.number = proto.float();
          this.field = valueField.float;
          break;
        case 0x69:
          this.number = proto.double();
          this.field = valueField.double;
          break;
        case 0x70:
          this.number = this.#flag() ? 1 : 0;
          this.field = valueField.boolean;
          break;
        case 0x7a:
        case 0x82:
        case 0x8a:
        case 0x92:
        case 0x9a:
          this.end = proto.limit();
          this.start = proto.position;
          proto.position = this.end;
          this.field = tag >> 3;
          break;
        default:
          proto.skip(tag);
      }
    }
    if (proto.position !== limit) throw new WireError('wire.malformed', `metric runs past its end at byte ${limit}`);
  }

  #flag(): boolean {
    this.proto.varint();
    return this.proto.low !== 0 || this.proto.high !== 0;
  }
}
