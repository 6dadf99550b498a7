import { WireError } from '../wire-error.ts';
import { readArray } from './array.ts';
import { readDataSet } from './data-set.ts';
import { type DataType, dataType as types } from './datatype.ts';
import { castInteger } from './integer.ts';
import type { Metric, Payload, SparkplugValue, Template } from './payload.ts';
import { PayloadReader, valueField } from './payload-reader.ts';
import { readProperties } from './properties.ts';
import { decodeText, ProtoReader } from './proto-reader.ts';

/** Templates inside templates: deeper than any real one, shallow enough for the stack. */
const maxTemplateDepth = 8;

/**
 * Decodes a Sparkplug B payload (Sparkplug 3.0 §6.4) into objects. Throws WireError for anything malformed.
 * Births, deaths and commands go through here; DATA on the hot path goes through PayloadReader and `readValue`.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  const reader = new PayloadReader(bytes);
  return {
    timestampMs: reader.timestampMs < 0 ? undefined : reader.timestampMs,
    seq: reader.seq < 0 ? undefined : reader.seq,
    metrics: readMetrics(reader, 0),
  };
}

/**
 * The value that `reader` stands on, cast by `dataType` (the metric's own or, in DATA, the birth's; 0 when unknown).
 *
 * Senders disagree about which field carries which integer, so any integer field is taken for any integer type, and
 * negative numbers in unsigned fields are sign-extended by the type's width. Integers above 2^53 become bigint.
 * `null` when is_null is set or no field is there. Throws WireError when field and type cannot belong together.
 */
export function readValue(reader: PayloadReader, dataType: number, depth = 0): SparkplugValue {
  if (reader.isNull) return null;
  switch (reader.field) {
    case valueField.none:
      return null;
    case valueField.double:
    case valueField.float:
      return dataType === types.Boolean ? reader.number !== 0 : reader.number;
    case valueField.boolean:
      return dataType === 0 || dataType === types.Boolean ? reader.number !== 0 : reader.number;
    case valueField.int:
    case valueField.long:
      return castInteger(reader.low, reader.high, dataType);
    case valueField.string:
      return decodeText(reader.bytes, reader.start, reader.end);
    case valueField.bytes: {
      const bytes = reader.bytes.slice(reader.start, reader.end);
      return dataType >= types.Int8Array && dataType <= types.DateTimeArray ? readArray(bytes, dataType) : bytes;
    }
    case valueField.dataSet:
      return readDataSet(reader.bytes.subarray(reader.start, reader.end));
    case valueField.template:
      return readTemplate(reader.bytes.subarray(reader.start, reader.end), depth + 1);
    default:
      throw new WireError('wire.malformed', 'metric value is an extension that no one defined');
  }
}

function readMetrics(reader: PayloadReader, depth: number): readonly Metric[] {
  const metrics: Metric[] = [];
  while (reader.next()) {
    const properties = reader.propertiesEnd > reader.propertiesStart ? readProperties(reader) : undefined;
    metrics.push({
      name: reader.hasName ? reader.name() : undefined,
      alias: reader.alias < 0 ? undefined : reader.alias,
      timestampMs: reader.metricTimestampMs < 0 ? undefined : reader.metricTimestampMs,
      dataType: reader.dataType === 0 ? undefined : (reader.dataType as DataType),
      isHistorical: reader.isHistorical || undefined,
      isTransient: reader.isTransient || undefined,
      properties,
      value: readValue(reader, reader.dataType, depth),
    });
  }
  return metrics;
}

/** A template has its metrics in the same field as a payload; the payload's `uuid` field is its `template_ref`. */
function readTemplate(bytes: Uint8Array, depth: number): Template {
  if (depth > maxTemplateDepth) throw new WireError('wire.tooLarge', `templates are nested deeper than ${maxTemplateDepth}`);
  const reader = new PayloadReader(bytes);
  const metrics = readMetrics(reader, depth);
  const proto = new ProtoReader(bytes);
  let isDefinition = false;
  while (proto.position < bytes.length) {
    const tag = proto.uint32();
    if (tag === 0x28) isDefinition = proto.uint32() !== 0;
    else proto.skip(tag);
  }
  return { templateRef: reader.uuid === '' ? null : reader.uuid, isDefinition, metrics };
}
