import type { Value } from '../sample.ts';
import { WireError } from '../wire-error.ts';
import { castInteger } from './integer.ts';
import type { DataSet } from './payload.ts';
import { ProtoReader } from './proto-reader.ts';

/** Decodes a DataSet (sparkplug_b.proto). A cell without a field is null. Throws WireError when a row has another width than the columns. */
export function readDataSet(bytes: Uint8Array): DataSet {
  const proto = new ProtoReader(bytes);
  const columns: string[] = [];
  const types: number[] = [];
  const rowBytes: Uint8Array[] = [];
  while (proto.position < bytes.length) {
    const tag = proto.uint32();
    if (tag === 0x12) columns.push(proto.text());
    else if (tag === 0x18) types.push(proto.uint32());
    else if (tag === 0x1a) readPacked(proto, types);
    else if (tag === 0x22) {
      const limit = proto.limit();
      rowBytes.push(bytes.subarray(proto.position, limit));
      proto.position = limit;
    } else proto.skip(tag);
  }
  const rows = rowBytes.map((row) => readRow(row, types));
  const odd = rows.find((row) => row.length !== columns.length);
  if (odd !== undefined) throw new WireError('wire.malformed', `data set row has ${odd.length} cells for ${columns.length} columns`);
  return { columns, types, rows };
}

function readPacked(proto: ProtoReader, into: number[]): void {
  const limit = proto.limit();
  while (proto.position < limit) into.push(proto.uint32());
}

function readRow(bytes: Uint8Array, types: readonly number[]): readonly Value[] {
  const proto = new ProtoReader(bytes);
  const cells: Value[] = [];
  while (proto.position < bytes.length) {
    const tag = proto.uint32();
    if (tag !== 0x0a) {
      proto.skip(tag);
      continue;
    }
    const limit = proto.limit();
    cells.push(readCell(new ProtoReader(bytes.subarray(proto.position, limit)), types[cells.length] ?? 0));
    proto.position = limit;
  }
  return cells;
}

function readCell(proto: ProtoReader, dataType: number): Value {
  let value: Value = null;
  while (proto.position < proto.end) {
    const tag = proto.uint32();
    switch (tag) {
      case 0x08:
      case 0x10:
        proto.varint();
        value = castInteger(proto.low, proto.high, dataType);
        break;
      case 0x1d:
        value = proto.float();
        break;
      case 0x21:
        value = proto.double();
        break;
      case 0x28:
        proto.varint();
        value = proto.low !== 0;
        break;
      case 0x32:
        value = proto.text();
        break;
      default:
        proto.skip(tag);
    }
  }
  return value;
}
