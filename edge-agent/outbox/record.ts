import { quality } from '@nhip/core/wire/sample';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { WireError } from '@nhip/core/wire/wire-error';

/**
 * One record of the outbox: what one device reported at once. Metrics carry names and types, not aliases, so that a
 * record can be sent whatever the configuration has become meanwhile; it names its stream, so that its identity cannot
 * change between two attempts to send it.
 * Bytes: version u8 = 2 | stream 16 bytes | number of the first sample f64 LE | device length u8 | device | Sparkplug payload.
 */
export interface OutboxRecord {
  /** 128-bit id of the stream. */
  readonly stream: Uint8Array;
  /** Number of the first sample in the stream; the others follow in order. */
  readonly seq: number;
  readonly device: string;
  readonly metrics: readonly Metric[];
}

const version = 2;
const seqAt = 17;
const deviceAt = 26;

/** `device` has at most 255 bytes. Throws WireError when a value does not fit its type. */
export function encodeOutboxRecord({ stream, seq, device, metrics }: OutboxRecord): Uint8Array {
  const name = new TextEncoder().encode(device);
  const payload = encodePayload({ metrics });
  const bytes = new Uint8Array(deviceAt + name.length + payload.length);
  bytes[0] = version;
  bytes.set(stream, 1);
  new DataView(bytes.buffer).setFloat64(seqAt, seq, true);
  bytes[deviceAt - 1] = name.length;
  bytes.set(name, deviceAt);
  bytes.set(payload, deviceAt + name.length);
  return bytes;
}

/** Throws WireError when the bytes are not an outbox record of this version. */
export function decodeOutboxRecord(bytes: Uint8Array): OutboxRecord {
  if (bytes.length < deviceAt || bytes[0] !== version) throw new WireError('wire.malformed', 'not an outbox record of this version');
  const end = deviceAt + (bytes[deviceAt - 1] as number);
  const seq = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(seqAt, true);
  const device = new TextDecoder().decode(bytes.subarray(deviceAt, end));
  return { stream: bytes.slice(1, seqAt), seq, device, metrics: decodePayload(bytes.subarray(end)).metrics };
}

/** Whether the metric's value can be sent as its type: 1.5 is no Int32, and a number is no String. */
export function fitsType(metric: Metric): boolean {
  try {
    encodePayload({ metrics: [metric] });
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** The `Quality` property that goes with a value that is not good (Sparkplug 3.0 §6.4.12); none for a good one. */
export function qualityProperties(code: number): Metric['properties'] {
  return code === quality.good ? undefined : { Quality: { type: dataType.Int32, value: code } };
}
