import type { Value } from '../sample.ts';
import { WireError } from '../wire-error.ts';
import { type DataType, dataType as types } from './datatype.ts';
import { halves } from './integer.ts';

/** The bytes of a Sparkplug 3.0 array value; the inverse of `readArray`. Throws WireError when the type is not an array. */
export function writeArray(items: readonly Value[], dataType: DataType): Uint8Array {
  switch (dataType) {
    case types.Int8Array:
    case types.UInt8Array:
      return packed(items, 1, (view, at, item) => view.setUint8(at, Number(item) & 0xff));
    case types.Int16Array:
    case types.UInt16Array:
      return packed(items, 2, (view, at, item) => view.setUint16(at, Number(item) & 0xffff, true));
    case types.Int32Array:
    case types.UInt32Array:
      return packed(items, 4, (view, at, item) => view.setUint32(at, Number(item) >>> 0, true));
    case types.Int64Array:
    case types.UInt64Array:
    case types.DateTimeArray:
      return packed(items, 8, (view, at, item) => {
        const [low, high] = halves(typeof item === 'bigint' ? item : Number(item));
        view.setUint32(at, low, true);
        view.setUint32(at + 4, high, true);
      });
    case types.FloatArray:
      return packed(items, 4, (view, at, item) => view.setFloat32(at, Number(item), true));
    case types.DoubleArray:
      return packed(items, 8, (view, at, item) => view.setFloat64(at, Number(item), true));
    case types.BooleanArray: {
      const bytes = new Uint8Array(4 + Math.ceil(items.length / 8));
      new DataView(bytes.buffer).setUint32(0, items.length, true);
      items.forEach((item, i) => {
        if (item === true) bytes[4 + (i >> 3)] = (bytes[4 + (i >> 3)] as number) | (0x80 >> (i & 7));
      });
      return bytes;
    }
    case types.StringArray:
      return new TextEncoder().encode(items.map((item) => `${item}\0`).join(''));
    default:
      throw new WireError('wire.malformed', `data type ${dataType} is not an array`);
  }
}

function packed(items: readonly Value[], width: number, write: (view: DataView, at: number, item: Value) => void): Uint8Array {
  const bytes = new Uint8Array(items.length * width);
  const view = new DataView(bytes.buffer);
  items.forEach((item, i) => {
    write(view, i * width, item);
  });
  return bytes;
}
