import protobuf from 'protobufjs';

/** The fields of Sparkplug 3.0 §6.4, for an implementation of protobuf that the product does not use. */
const type = protobuf
  .parse(
    `syntax = "proto2";
message Payload {
  message PropertyValue { optional uint32 type = 1; optional bool is_null = 2;
    oneof value { uint32 int_value = 3; uint64 long_value = 4; float float_value = 5; double double_value = 6; bool boolean_value = 7; string string_value = 8; } }
  message PropertySet { repeated string keys = 1; repeated PropertyValue values = 2; }
  message Metric { optional string name = 1; optional uint64 alias = 2; optional uint64 timestamp = 3; optional uint32 datatype = 4;
    optional bool is_historical = 5; optional bool is_transient = 6; optional bool is_null = 7; optional PropertySet properties = 9;
    oneof value { uint32 int_value = 10; uint64 long_value = 11; float float_value = 12; double double_value = 13; bool boolean_value = 14;
      string string_value = 15; bytes bytes_value = 16; bytes dataset_value = 17; bytes template_value = 18; } }
  optional uint64 timestamp = 1; repeated Metric metrics = 2; optional uint64 seq = 3; optional string uuid = 4; optional bytes body = 5;
}`,
    { keepCase: true },
  )
  .root.lookupType('Payload');

export interface WireProperty {
  readonly type?: number;
  readonly value?: string;
  readonly int_value?: number;
}

/** A metric as it is on the wire: `value` names the field that carries the value. */
export interface WireMetric {
  readonly name?: string;
  readonly alias?: number;
  readonly timestamp?: number;
  readonly datatype?: number;
  readonly is_historical?: boolean;
  readonly is_null?: boolean;
  readonly properties?: { readonly keys?: readonly string[]; readonly values?: readonly WireProperty[] };
  readonly value?: string;
  readonly int_value?: number;
  readonly long_value?: number;
  readonly float_value?: number;
  readonly double_value?: number;
  readonly boolean_value?: boolean;
  readonly string_value?: string;
  readonly bytes_value?: Uint8Array;
}

export interface WirePayload {
  readonly timestamp?: number;
  readonly seq?: number;
  readonly metrics: readonly WireMetric[];
}

/** Throws when the bytes are no payload. */
export function decode(bytes: Uint8Array): WirePayload {
  const { metrics = [], ...rest } = type.toObject(type.decode(bytes), { longs: Number, oneofs: true }) as Partial<WirePayload>;
  return { ...rest, metrics };
}

export function encode(payload: WirePayload): Buffer {
  return Buffer.from(type.encode(type.fromObject(payload)).finish());
}

/** The value, whichever field carries it; null when there is none. */
export function wireValue(metric: WireMetric | undefined): unknown {
  return metric?.value === undefined ? null : metric[metric.value as 'int_value'];
}
