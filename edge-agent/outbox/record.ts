import { quality } from '@nhip/core/wire/sample';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { WireError } from '@nhip/core/wire/wire-error';

/**
 * One record of the outbox: what one device reported at once. Metrics carry names and types, not aliases, so that a
 * record can be sent whatever the configuration has become meanwhile.
 * Bytes: version u8 = 1 | number of the first sample f64 LE | device length u8 | device | Sparkplug payload.
 */
export interface OutboxRecord {
  /** Number of the first sample in the stream; the others follow in order. */
  readonly seq: number;
  readonly device: string;
  readonly metrics: readonly Metric[];
}

const version = 1;

export function encodeOutboxRecord({ seq, device, metrics }: OutboxRecord): Uint8Array {
  const name = new TextEncoder().encode(device);
  const payload = encodePayload({ metrics });
  const bytes = new Uint8Array(10 + name.length + payload.length);
  bytes[0] = version;
  new DataView(bytes.buffer).setFloat64(1, seq, true);
  bytes[9] = name.length;
  bytes.set(name, 10);
  bytes.set(payload, 10 + name.length);
  return bytes;
}

/** Throws WireError when the bytes are not an outbox record of this version. */
export function decodeOutboxRecord(bytes: Uint8Array): OutboxRecord {
  if (bytes.length < 10 || bytes[0] !== version) throw new WireError('wire.malformed', 'not an outbox record of this version');
  const end = 10 + (bytes[9] as number);
  const seq = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(1, true);
  const device = new TextDecoder().decode(bytes.subarray(10, end));
  return { seq, device, metrics: decodePayload(bytes.subarray(end)).metrics };
}

/** The `Quality` property that goes with a value that is not good (Sparkplug 3.0 §6.4.12); none for a good one. */
export function qualityProperties(code: number): Metric['properties'] {
  return code === quality.good ? undefined : { Quality: { type: dataType.Int32, value: code } };
}
