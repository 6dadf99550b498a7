import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { WireError } from '../wire-error.ts';
import { type DataType, dataType as types } from './datatype.ts';
import { decodePayload } from './decode.ts';
import { encodePayload } from './encode.ts';
import type { Metric, Payload, SparkplugValue } from './payload.ts';
import { PayloadReader } from './payload-reader.ts';

/** The field numbers of Sparkplug 3.0 §6.4 for the oracle, an independent protobuf implementation. */
const oracle = protobuf
  .parse(`syntax = "proto2";
message Payload {
  message PropertyValue { optional uint32 type = 1; optional bool is_null = 2;
    oneof value { uint32 int_value = 3; uint64 long_value = 4; float float_value = 5; double double_value = 6; bool boolean_value = 7; string string_value = 8; } }
  message PropertySet { repeated string keys = 1; repeated PropertyValue values = 2; }
  message DataSetValue { oneof value { uint32 int_value = 1; uint64 long_value = 2; float float_value = 3; double double_value = 4; bool boolean_value = 5; string string_value = 6; } }
  message Row { repeated DataSetValue elements = 1; }
  message DataSet { optional uint64 num_of_columns = 1; repeated string columns = 2; repeated uint32 types = 3; repeated Row rows = 4; }
  message Template { optional string version = 1; repeated Metric metrics = 2; optional string template_ref = 4; optional bool is_definition = 5; }
  message Metric { optional string name = 1; optional uint64 alias = 2; optional uint64 timestamp = 3; optional uint32 datatype = 4;
    optional bool is_historical = 5; optional bool is_transient = 6; optional bool is_null = 7; optional PropertySet properties = 9;
    oneof value { uint32 int_value = 10; uint64 long_value = 11; float float_value = 12; double double_value = 13; bool boolean_value = 14;
      string string_value = 15; bytes bytes_value = 16; DataSet dataset_value = 17; Template template_value = 18; } }
  optional uint64 timestamp = 1; repeated Metric metrics = 2; optional uint64 seq = 3; optional string uuid = 4; optional bytes body = 5;
}`)
  .root.lookupType('Payload');

function throughOracle(bytes: Uint8Array): Record<string, unknown> {
  return oracle.toObject(oracle.decode(bytes), { longs: String, defaults: false }) as Record<string, unknown>;
}

function oracleBytes(payload: object): Uint8Array {
  return oracle.encode(oracle.fromObject(payload)).finish();
}

function only(bytes: Uint8Array): SparkplugValue {
  return decodePayload(bytes).metrics[0]?.value ?? null;
}

const safe = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const scalar: fc.Arbitrary<Pick<Metric, 'dataType' | 'value'>> = fc.oneof(
  fc.record({ dataType: fc.constant(types.Int8), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ dataType: fc.constant(types.Int16), value: fc.integer({ min: -32768, max: 32767 }) }),
  fc.record({ dataType: fc.constant(types.Int32), value: fc.integer() }),
  fc.record({ dataType: fc.constant(types.UInt8), value: fc.nat(255) }),
  fc.record({ dataType: fc.constant(types.UInt16), value: fc.nat(65535) }),
  fc.record({ dataType: fc.constant(types.UInt32), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ dataType: fc.constant(types.Int64), value: fc.oneof(fc.maxSafeInteger(), unsafe(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))) }),
  fc.record({ dataType: fc.constant(types.UInt64), value: fc.oneof(safe, unsafe(fc.bigInt(0n, 2n ** 64n - 1n))) }),
  fc.record({ dataType: fc.constant(types.Double), value: fc.double({ noNaN: true }) }),
  fc.record({ dataType: fc.constant(types.Float), value: fc.float({ noNaN: true }) }),
  fc.record({ dataType: fc.constant(types.Boolean), value: fc.boolean() }),
  fc.record({ dataType: fc.constant(types.String), value: text }),
  fc.record({ dataType: fc.constant(types.DateTime), value: safe }),
  fc.record({ dataType: fc.constant(types.Double), value: fc.constant(null) }),
  fc.record({ dataType: fc.constant(types.Int16Array), value: fc.array(fc.integer({ min: -32768, max: 32767 }), { maxLength: 20 }) }),
  fc.record({ dataType: fc.constant(types.DoubleArray), value: fc.array(fc.double({ noNaN: true }), { maxLength: 20 }) }),
  fc.record({ dataType: fc.constant(types.BooleanArray), value: fc.array(fc.boolean(), { maxLength: 40 }) }),
);

function unsafe(big: fc.Arbitrary<bigint>): fc.Arbitrary<bigint> {
  return big.filter((value) => value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER));
}

const metric: fc.Arbitrary<Metric> = fc
  .tuple(scalar, fc.record({ name: text.filter((t) => t !== ''), alias: safe, timestampMs: safe }, { requiredKeys: [] }), fc.boolean())
  .map(([value, head, isHistorical]) => ({ ...head, ...value, isHistorical: isHistorical || undefined }));

const payload: fc.Arbitrary<Payload> = fc.record({ timestampMs: safe, seq: fc.nat(255), metrics: fc.array(metric, { maxLength: 20 }) });

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, v) =>
      typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : v === Infinity ? 'inf' : v === -Infinity ? '-inf' : v,
    ),
  );
}

describe('Sparkplug codec', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(payload, (p) => {
        expect(plain(decodePayload(encodePayload(p)))).toEqual(plain(p));
      }),
    );
  });

  it('writes what an independent protobuf implementation reads, and reads back what that one writes', () => {
    fc.assert(
      fc.property(payload, (p) => {
        const bytes = encodePayload(p);
        const seen = throughOracle(bytes) as { metrics?: { name?: string; alias?: string }[]; seq?: string };
        expect(Number(seen.seq)).toBe(p.seq);
        expect((seen.metrics ?? []).map((m) => m.name)).toEqual(p.metrics.map((m) => m.name));
        expect((seen.metrics ?? []).map((m) => (m.alias === undefined ? undefined : Number(m.alias)))).toEqual(
          p.metrics.map((m) => m.alias),
        );
        expect(plain(decodePayload(oracle.encode(oracle.decode(bytes)).finish()))).toEqual(plain(p));
      }),
    );
  });

  it('takes integers from either field and sign-extends by the width of the type', () => {
    const int = (datatype: number, fields: object) => only(oracleBytes({ metrics: [{ name: 'a', datatype, ...fields }] }));
    expect(int(types.Int8, { intValue: 0xff })).toBe(-1);
    expect(int(types.Int8, { intValue: 0xffff_ffff })).toBe(-1);
    expect(int(types.Int16, { intValue: 0x8000 })).toBe(-32768);
    expect(int(types.Int32, { intValue: 0xffff_fff9 })).toBe(-7);
    expect(int(types.Int32, { longValue: '18446744073709551609' })).toBe(-7);
    expect(int(types.UInt32, { intValue: 4_000_000_000 })).toBe(4_000_000_000);
    expect(int(types.UInt32, { longValue: 4_000_000_000 })).toBe(4_000_000_000);
    expect(int(types.Int64, { longValue: '18446744073709551611' })).toBe(-5);
    expect(int(types.UInt64, { longValue: '18446744073709551615' })).toBe(18446744073709551615n);
    expect(int(types.Boolean, { intValue: 1 })).toBe(true);
  });

  it('reads data sets with every integer type and null cells', () => {
    const value = only(
      oracleBytes({
        metrics: [
          {
            name: 'd',
            datatype: types.DataSet,
            datasetValue: {
              numOfColumns: 3,
              columns: ['a', 'b', 'c'],
              types: [types.Int8, types.UInt64, types.Text],
              rows: [{ elements: [{ intValue: 255 }, { longValue: '5' }, { stringValue: 'x' }] }, { elements: [{}, {}, {}] }],
            },
          },
        ],
      }),
    );
    expect(value).toEqual({
      columns: ['a', 'b', 'c'],
      types: [types.Int8, types.UInt64, types.Text],
      rows: [
        [-1, 5, 'x'],
        [null, null, null],
      ],
    });
  });

  it('reads templates, properties and quality', () => {
    const bytes = oracleBytes({
      metrics: [
        {
          name: 't',
          datatype: types.Template,
          templateValue: { templateRef: 'Motor', metrics: [{ name: 'rpm', datatype: types.Int32, intValue: 7 }] },
        },
        {
          name: 'q',
          datatype: types.Double,
          doubleValue: 1,
          properties: {
            keys: ['Quality', 'engUnit'],
            values: [
              { type: types.Int32, intValue: 500 },
              { type: types.String, stringValue: '°C' },
            ],
          },
        },
      ],
    });
    const { metrics } = decodePayload(bytes);
    expect(metrics[0]?.value).toMatchObject({ templateRef: 'Motor', isDefinition: false, metrics: [{ name: 'rpm', value: 7 }] });
    expect(metrics[1]?.properties).toEqual({ Quality: { type: types.Int32, value: 500 }, engUnit: { type: types.String, value: '°C' } });
  });

  it('treats is_null and a missing value alike, never as 0', () => {
    expect(only(oracleBytes({ metrics: [{ name: 'a', datatype: types.Int32, isNull: true }] }))).toBeNull();
    expect(only(oracleBytes({ metrics: [{ name: 'a', datatype: types.Int32 }] }))).toBeNull();
  });

  it('throws one clean error on truncated, mutated and random bytes', () => {
    const attempt = (bytes: Uint8Array): void => {
      try {
        decodePayload(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    };
    fc.assert(
      fc.property(payload, fc.nat(), fc.nat(255), (p, at, byte) => {
        const bytes = encodePayload(p);
        attempt(bytes.subarray(0, at % (bytes.length + 1)));
        const mutated = bytes.slice();
        if (mutated.length > 0) mutated[at % mutated.length] = byte;
        attempt(mutated);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), attempt), { numRuns: 500 });
  });

  it('refuses lengths beyond the payload, endless varints, seq above 255 and templates without end', () => {
    const hostile = [
      Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f),
      Uint8Array.from({ length: 12 }, () => 0xff),
      Uint8Array.of(0x18, 0x80, 0x02),
      Uint8Array.of(0x12, 0x02, 0x0b, 0x0c),
      Uint8Array.of(0x12, 0x04, 0x0a, 0x02, 0xff, 0xfe),
    ];
    for (const bytes of hostile) expect(() => decodePayload(bytes)).toThrow(WireError);
    let nested: object = { name: 'x', datatype: types.Int32, intValue: 1 };
    for (let i = 0; i < 12; i++) nested = { name: 't', datatype: types.Template, templateValue: { metrics: [nested] } };
    expect(() => decodePayload(oracleBytes({ metrics: [nested] }))).toThrow(/nested deeper/);
  });

  it('reads DATA without names or types through the reader', () => {
    const bytes = encodePayload(
      { seq: 3, timestampMs: 9, metrics: [{ alias: 4, timestampMs: 8, value: 1.5 }] },
      () => types.Double as DataType,
    );
    const reader = new PayloadReader(bytes);
    expect([reader.seq, reader.metricCount, reader.next(), reader.alias, reader.metricTimestampMs, reader.hasName, reader.number]).toEqual([
      3,
      1,
      true,
      4,
      8,
      false,
      1.5,
    ]);
    expect(reader.next()).toBe(false);
  });
});
