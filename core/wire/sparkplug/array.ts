import type { Value } from '../sample.ts';
import { WireError } from '../wire-error.ts';
import { dataType as types } from './datatype.ts';
import { signed64, unsigned64 } from './integer.ts';
import { decodeText } from './proto-reader.ts';

/**
 * Sparkplug 3.0 array types (§6.4.16.6): little-endian packed; Boolean arrays are a 4-byte count and bits, most
 * significant first; string arrays are NUL-terminated. Throws WireError when the bytes do not divide evenly.
 */
export function readArray(bytes: Uint8Array, dataType: number): readonly Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dataType) {
    case types.Int8Array:
      return packed(bytes, 1, (at) => view.getInt8(at));
    case types.Int16Array:
      return packed(bytes, 2, (at) => view.getInt16(at, true));
    case types.Int32Array:
      return packed(bytes, 4, (at) => view.getInt32(at, true));
    case types.Int64Array:
      return packed(bytes, 8, (at) => signed64(view.getUint32(at, true), view.getUint32(at + 4, true)));
    case types.UInt8Array:
      return packed(bytes, 1, (at) => view.getUint8(at));
    case types.UInt16Array:
      return packed(bytes, 2, (at) => view.getUint16(at, true));
    case types.UInt32Array:
      return packed(bytes, 4, (at) => view.getUint32(at, true));
    case types.UInt64Array:
    case types.DateTimeArray:
      return packed(bytes, 8, (at) => unsigned64(view.getUint32(at, true), view.getUint32(at + 4, true)));
    case types.FloatArray:
      return packed(bytes, 4, (at) => view.getFloat32(at, true));
    case types.DoubleArray:
      return packed(bytes, 8, (at) => view.getFloat64(at, true));
    case types.BooleanArray:
      return booleans(bytes, view);
    case types.StringArray:
      return strings(bytes);
    default:
      throw new WireError('wire.malformed', `data type ${dataType} is not an array`);
  }
}

function packed(bytes: Uint8Array, width: number, read: (at: number) => Value): readonly Value[] {
  if (bytes.length % width !== 0) throw new WireError('wire.malformed', `array of ${bytes.length} bytes has items of ${width}`);
  return Array.from({ length: bytes.length / width }, (_, i) => read(i * width));
}

function booleans(bytes: Uint8Array, view: DataView): readonly Value[] {
  const count = bytes.length >= 4 ? view.getUint32(0, true) : -1;
  if (count < 0 || Math.ceil(count / 8) > bytes.length - 4) {
    throw new WireError('wire.malformed', `Boolean array announces ${count} items in ${bytes.length} bytes`);
  }
  return Array.from({ length: count }, (_, i) => (((bytes[4 + (i >> 3)] as number) >> (7 - (i & 7))) & 1) === 1);
}

function strings(bytes: Uint8Array): readonly Value[] {
  const items: string[] = [];
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) continue;
    items.push(decodeText(bytes, start, i));
    start = i + 1;
  }
  if (start < bytes.length) items.push(decodeText(bytes, start, bytes.length));
  return items;
}
