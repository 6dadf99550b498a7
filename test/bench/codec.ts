import { type DataType, dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload, readValue } from '@nhip/core/wire/sparkplug/decode';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Payload } from '@nhip/core/wire/sparkplug/payload';
import { PayloadReader } from '@nhip/core/wire/sparkplug/payload-reader';
import protobuf from 'protobufjs';
import { get as peer } from 'sparkplug-payload';
import { type Bench, type Figure, ratios } from './figures.ts';

const metricCount = 200;
const payloadCount = 32;

/** The fields that the payloads use, for protobufjs; the numbers are those of Sparkplug 3.0 §6.4. */
const reflected = protobuf
  .parse(`syntax = "proto2";
message Payload {
  message Metric { optional string name = 1; optional uint64 alias = 2; optional uint64 timestamp = 3; optional uint32 datatype = 4;
    oneof value { uint32 int_value = 10; uint64 long_value = 11; float float_value = 12; double double_value = 13; } }
  optional uint64 timestamp = 1; repeated Metric metrics = 2; optional uint64 seq = 3;
}`)
  .root.lookupType('Payload');

interface Contender {
  readonly name: string;
  /** Works on payload `i`; what it returns keeps the work from being optimised away. */
  step(i: number): number;
}

interface Measured {
  readonly metricsPerS: number;
  readonly bytesPerMetric: number;
}

/** DATA as a machine with 200 process values sends it: alias, time, double; with or without the (optional) data type. */
function makePayloads(withType: boolean): readonly Payload[] {
  const startMs = 1_780_000_000_000;
  return Array.from({ length: payloadCount }, (_, p) => ({
    timestampMs: startMs + p * 1000,
    seq: p % 256,
    metrics: Array.from({ length: metricCount }, (_, m) => ({
      alias: m + 1,
      timestampMs: startMs + p * 1000 + (m % 10),
      ...(withType ? { dataType: dataType.Double } : {}),
      value: Math.sin(p * metricCount + m) * 100,
    })),
  }));
}

/** What ingest does on its hot path: no object per metric. */
function stream(bytes: Uint8Array, type: DataType): number {
  const reader = new PayloadReader(bytes);
  let sum = reader.seq;
  while (reader.next()) sum += (readValue(reader, reader.dataType || type) as number) + reader.alias + reader.metricTimestampMs;
  return sum;
}

function contenders(): { readonly decoders: readonly Contender[]; readonly encoders: readonly Contender[] } {
  const sparkplug = peer('spBv1.0');
  if (sparkplug === null) throw new Error('sparkplug-payload does not know spBv1.0');
  const payloads = makePayloads(true);
  const typed = payloads.map((payload) => encodePayload(payload));
  const untyped = makePayloads(false).map((payload) => encodePayload(payload, () => dataType.Double));
  const peerPayloads = payloads.map(({ timestampMs = 0, seq = 0, metrics }) => ({
    timestamp: timestampMs,
    seq,
    metrics: metrics.map(({ alias, timestampMs: at, value }) => ({ alias, timestamp: at, type: 'Double', value })),
  })) as unknown as Parameters<typeof sparkplug.encodePayload>[0][];
  const reflectedPayloads = typed.map((bytes) => reflected.decode(bytes));
  const at = <T>(list: readonly T[], i: number): T => list[i % payloadCount] as T;
  return {
    decoders: [
      { name: 'decode, sparkplug-payload 1.0.3', step: (i) => sparkplug.decodePayload(at(typed, i)).metrics?.length ?? 0 },
      { name: 'decode, protobufjs 8 (reflection)', step: (i) => Object.keys(reflected.decode(at(typed, i))).length },
      { name: 'decode, ours: objects (decodePayload)', step: (i) => decodePayload(at(typed, i)).metrics.length },
      { name: 'decode, ours: stream (PayloadReader + readValue)', step: (i) => stream(at(typed, i), dataType.Double) },
      { name: 'decode, ours: stream, no data type in the payload', step: (i) => stream(at(untyped, i), dataType.Double) },
    ],
    encoders: [
      { name: 'encode, sparkplug-payload 1.0.3', step: (i) => sparkplug.encodePayload(at(peerPayloads, i)).length },
      { name: 'encode, protobufjs 8 (reflection)', step: (i) => reflected.encode(at(reflectedPayloads, i)).finish().length },
      { name: 'encode, ours', step: (i) => encodePayload(at(payloads, i)).length },
    ],
  };
}

/** Where results go, so that the compiler cannot leave the work out. */
let sink = 0;

function measure({ step }: Contender, forMs: number): Measured {
  const warmUntil = performance.now() + forMs / 3;
  for (let i = 0; performance.now() < warmUntil; i++) sink += step(i);
  const started = performance.now();
  let payloads = 0;
  for (; performance.now() - started < forMs; payloads += payloadCount) for (let i = 0; i < payloadCount; i++) sink += step(i);
  const seconds = (performance.now() - started) / 1000;
  // Few enough calls that the young generation is not collected in between.
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const calls = 4;
  for (let i = 0; i < calls; i++) sink += step(i);
  const bytesPerMetric = Math.max(0, process.memoryUsage().heapUsed - before) / (calls * metricCount);
  return { metricsPerS: (payloads * metricCount) / seconds, bytesPerMetric };
}

export const codec: Bench = {
  name: 'codec',
  summary: `Sparkplug B codec: DATA payloads of ${metricCount} metrics, each with alias, time stamp and a double`,
  async run({ runs, isShort }) {
    const { decoders, encoders } = contenders();
    const all = [...decoders, ...encoders];
    const measured = new Map<string, Measured[]>(all.map(({ name }) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const contender of all) measured.get(contender.name)?.push(measure(contender, isShort ? 60 : 500));
    }
    const speeds = (contender: Contender | undefined): readonly number[] =>
      (measured.get(contender?.name ?? '') ?? []).map(({ metricsPerS }) => metricsPerS / 1e6);
    const row = (contender: Contender): Figure => ({
      what: contender.name,
      unit: 'M metrics/s',
      values: speeds(contender),
      memory: { unit: 'B', values: (measured.get(contender.name) ?? []).map(({ bytesPerMetric }) => bytesPerMetric) },
    });
    const [peerDecode, reflection, objects, streamed] = decoders;
    const [peerEncode, , ourEncode] = encoders;
    if (!Number.isFinite(sink)) throw new Error('A codec gave something that is not a number');
    return {
      figures: [
        ...all.map(row),
        {
          what: 'decode, ours (stream) ÷ sparkplug-payload',
          unit: '×',
          values: ratios(speeds(streamed), speeds(peerDecode)),
          target: { kind: 'atLeast', value: 3 },
        },
        { what: 'decode, ours (objects) ÷ sparkplug-payload', unit: '×', values: ratios(speeds(objects), speeds(peerDecode)) },
        { what: 'decode, ours (objects) ÷ protobufjs', unit: '×', values: ratios(speeds(objects), speeds(reflection)) },
        { what: 'encode, ours ÷ sparkplug-payload', unit: '×', values: ratios(speeds(ourEncode), speeds(peerEncode)) },
      ],
      notes: [
        'Memory: bytes of JavaScript heap that one metric takes while it is decoded or encoded.',
        'The payloads carry data types, without which sparkplug-payload decodes every value to null. DATA need not carry them, ours takes the type from the birth.',
        'sparkplug-payload brings its own protobufjs with generated code; protobufjs 8 works here by reflection from the .proto text and leaves 64-bit numbers as it gives them.',
      ],
    };
  },
};
