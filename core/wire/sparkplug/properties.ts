import type { Value } from '../sample.ts';
import { quality } from '../sample.ts';
import { type DataType, dataType as types } from './datatype.ts';
import { castInteger } from './integer.ts';
import type { PropertyValue } from './payload.ts';
import type { PayloadReader } from './payload-reader.ts';
import { ProtoReader } from './proto-reader.ts';

/** The scalar properties of the metric that `reader` stands on; nested property sets are left out. */
export function readProperties(reader: PayloadReader): Record<string, PropertyValue> {
  const properties: Record<string, PropertyValue> = Object.create(null);
  if (reader.propertiesEnd === reader.propertiesStart) return properties;
  const proto = new ProtoReader(reader.bytes.subarray(reader.propertiesStart, reader.propertiesEnd));
  const keys: string[] = [];
  const values: (PropertyValue | undefined)[] = [];
  while (proto.position < proto.end) {
    const tag = proto.uint32();
    if (tag === 0x0a) keys.push(proto.text());
    else if (tag === 0x12) {
      const limit = proto.limit();
      values.push(readPropertyValue(new ProtoReader(proto.bytes.subarray(proto.position, limit))));
      proto.position = limit;
    } else proto.skip(tag);
  }
  keys.forEach((key, i) => {
    const value = values[i];
    if (value !== undefined) properties[key] = value;
  });
  return properties;
}

/** The metric's quality code: the `Quality` property (Sparkplug 3.0 §6.4.12), good when there is none. */
export function readQuality(reader: PayloadReader): number {
  if (reader.propertiesEnd === reader.propertiesStart) return quality.good;
  const value = readProperties(reader).Quality?.value;
  return value === quality.bad || value === quality.stale ? value : quality.good;
}

function readPropertyValue(proto: ProtoReader): PropertyValue | undefined {
  let type = 0;
  let value: Value = null;
  let low = 0;
  let high = 0;
  let isInteger = false;
  while (proto.position < proto.end) {
    const tag = proto.uint32();
    switch (tag) {
      case 0x08:
        type = proto.uint32();
        break;
      case 0x18:
      case 0x20:
        proto.varint();
        low = proto.low;
        high = proto.high;
        isInteger = true;
        break;
      case 0x2d:
        value = proto.float();
        break;
      case 0x31:
        value = proto.double();
        break;
      case 0x38:
        proto.varint();
        value = proto.low !== 0;
        break;
      case 0x42:
        value = proto.text();
        break;
      default:
        proto.skip(tag);
    }
  }
  if (type === types.PropertySet || type === types.PropertySetList) return undefined;
  if (isInteger) value = castInteger(low, high, type);
  return { type: type as DataType, value };
}
