import { WireError } from '../wire-error.ts';
import { type DataType, dataType as types } from './datatype.ts';
import { writeArray } from './encode-array.ts';
import { halves } from './integer.ts';
import { type DataSet, isDataSet, isTemplate, type Metric, type Payload, type PropertyValue, type SparkplugValue } from './payload.ts';
import { ProtoWriter } from './proto-writer.ts';

/**
 * Encodes a Sparkplug B payload. `valueType` tells the type of metrics that carry none themselves (DATA sends none:
 * tck-id-payloads-metric-datatype-not-req). Throws WireError when a value does not fit its type.
 */
export function encodePayload(payload: Payload, valueType?: (metric: Metric) => DataType): Uint8Array {
  const writer = new ProtoWriter(64 + payload.metrics.length * 32);
  if (payload.timestampMs !== undefined) {
    writer.varint(0x08);
    writer.varint(payload.timestampMs);
  }
  writeMetrics(writer, payload.metrics, valueType);
  if (payload.seq !== undefined) {
    writer.varint(0x18);
    writer.varint(payload.seq);
  }
  return writer.finish();
}

function writeMetrics(writer: ProtoWriter, metrics: readonly Metric[], valueType?: (metric: Metric) => DataType): void {
  for (const metric of metrics) {
    writer.varint(0x12);
    writer.message(() => writeMetric(writer, metric, valueType));
  }
}

function writeMetric(writer: ProtoWriter, metric: Metric, valueType?: (metric: Metric) => DataType): void {
  if (metric.name !== undefined) {
    writer.varint(0x0a);
    writer.text(metric.name);
  }
  if (metric.alias !== undefined) {
    writer.varint(0x10);
    writer.varint(metric.alias);
  }
  if (metric.timestampMs !== undefined) {
    writer.varint(0x18);
    writer.varint(metric.timestampMs);
  }
  if (metric.dataType !== undefined) {
    writer.varint(0x20);
    writer.varint(metric.dataType);
  }
  if (metric.isHistorical) writeFlag(writer, 0x28);
  if (metric.isTransient) writeFlag(writer, 0x30);
  if (metric.value === null) writeFlag(writer, 0x38);
  if (metric.properties !== undefined) writeProperties(writer, metric.properties);
  if (metric.value !== null) writeValue(writer, metric.value, metric.dataType ?? valueType?.(metric) ?? typeOf(metric.value));
}

function writeFlag(writer: ProtoWriter, tag: number): void {
  writer.varint(tag);
  writer.varint(1);
}

function writeValue(writer: ProtoWriter, value: SparkplugValue, dataType: DataType): void {
  if (typeof value === 'string') {
    writer.varint(0x7a);
    writer.text(value);
  } else if (typeof value === 'boolean') {
    writer.varint(0x70);
    writer.varint(value ? 1 : 0);
  } else if (typeof value === 'number' || typeof value === 'bigint') writeNumber(writer, value, dataType);
  else if (value instanceof Uint8Array) {
    writer.varint(0x82);
    writer.bytes(value);
  } else if (Array.isArray(value)) {
    writer.varint(0x82);
    writer.bytes(writeArray(value, dataType));
  } else if (isDataSet(value)) {
    writer.varint(0x8a);
    writer.message(() => writeDataSet(writer, value));
  } else if (value !== null && isTemplate(value)) {
    writer.varint(0x92);
    writer.message(() => {
      writeMetrics(writer, value.metrics);
      if (value.templateRef !== null) {
        writer.varint(0x22);
        writer.text(value.templateRef);
      }
      writer.varint(0x28);
      writer.varint(value.isDefinition ? 1 : 0);
    });
  }
}

/** Integers up to 32 bits go in int_value, UInt32 and wider in long_value, as Tahu and the TCK write them. */
function writeNumber(writer: ProtoWriter, value: number | bigint, dataType: DataType): void {
  switch (dataType) {
    case types.Float:
      writer.varint(0x65);
      writer.float(Number(value));
      return;
    case types.Double:
      writer.varint(0x69);
      writer.double(Number(value));
      return;
    case types.Boolean:
      writer.varint(0x70);
      writer.varint(value ? 1 : 0);
      return;
    case types.Int8:
    case types.Int16:
    case types.Int32:
    case types.UInt8:
    case types.UInt16:
      writer.varint(0x50);
      writer.varint64(halves(integer(value, dataType))[0], 0);
      return;
    case types.UInt32:
    case types.Int64:
    case types.UInt64:
    case types.DateTime: {
      const [low, high] = halves(integer(value, dataType));
      writer.varint(0x58);
      writer.varint64(low, high);
      return;
    }
    default:
      throw new WireError('wire.malformed', `number ${value} cannot be sent as data type ${dataType}`);
  }
}

function integer(value: number | bigint, dataType: DataType): number | bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) return value;
  throw new WireError('wire.malformed', `${value} is not an integer, data type ${dataType} needs one`);
}

function typeOf(value: SparkplugValue): DataType {
  if (typeof value === 'string') return types.String;
  if (typeof value === 'boolean') return types.Boolean;
  if (typeof value === 'bigint') return types.Int64;
  return types.Double;
}

function writeProperties(writer: ProtoWriter, properties: Readonly<Record<string, PropertyValue>>): void {
  const entries = Object.entries(properties);
  writer.varint(0x4a);
  writer.message(() => {
    for (const [key] of entries) {
      writer.varint(0x0a);
      writer.text(key);
    }
    for (const [, property] of entries) {
      writer.varint(0x12);
      writer.message(() => writePropertyValue(writer, property));
    }
  });
}

function writePropertyValue(writer: ProtoWriter, { type, value }: PropertyValue): void {
  writer.varint(0x08);
  writer.varint(type);
  if (value === null) {
    writer.varint(0x10);
    writer.varint(1);
  } else if (typeof value === 'string') {
    writer.varint(0x42);
    writer.text(value);
  } else if (typeof value === 'boolean') {
    writer.varint(0x38);
    writer.varint(value ? 1 : 0);
  } else if (type === types.Float) {
    writer.varint(0x2d);
    writer.float(Number(value));
  } else if (type === types.Double) {
    writer.varint(0x31);
    writer.double(Number(value));
  } else {
    const [low, high] = halves(integer(value, type));
    const isWide = type === types.Int64 || type === types.UInt64 || type === types.UInt32 || type === types.DateTime;
    writer.varint(isWide ? 0x20 : 0x18);
    writer.varint64(low, isWide ? high : 0);
  }
}

function writeDataSet(writer: ProtoWriter, set: DataSet): void {
  writer.varint(0x08);
  writer.varint(set.columns.length);
  for (const column of set.columns) {
    writer.varint(0x12);
    writer.text(column);
  }
  for (const type of set.types) {
    writer.varint(0x18);
    writer.varint(type);
  }
  for (const row of set.rows) {
    writer.varint(0x22);
    writer.message(() => {
      row.forEach((cell, i) => {
        writer.varint(0x0a);
        writer.message(() => writeCell(writer, cell, (set.types[i] ?? 0) as DataType));
      });
    });
  }
}

function writeCell(writer: ProtoWriter, cell: Metric['value'], type: DataType): void {
  if (cell === null) return;
  if (typeof cell === 'string') {
    writer.varint(0x32);
    writer.text(cell);
  } else if (typeof cell === 'boolean') {
    writer.varint(0x28);
    writer.varint(cell ? 1 : 0);
  } else if (typeof cell === 'number' || typeof cell === 'bigint') {
    if (type === types.Float) {
      writer.varint(0x1d);
      writer.float(Number(cell));
    } else if (type === types.Double) {
      writer.varint(0x21);
      writer.double(Number(cell));
    } else {
      const [low, high] = halves(integer(cell, type));
      const isWide = type === types.Int64 || type === types.UInt64 || type === types.UInt32 || type === types.DateTime;
      writer.varint(isWide ? 0x10 : 0x08);
      writer.varint64(low, isWide ? high : 0);
    }
  }
}
