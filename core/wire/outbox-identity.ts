import { WireError } from './wire-error.ts';

/**
 * The identity that our edge puts into every DATA message: which outbox made it and which number its first sample has.
 * The other samples of the message are numbered on, in payload order. Ingest drops repeats by it.
 * On the wire: metric `Outbox/Identity`, type Bytes: 16 bytes stream id, then the sequence number as u64 little-endian.
 */
export interface OutboxIdentity {
  /** 128 bits as 32 hex digits; made with the outbox folder. */
  readonly stream: string;
  /** Number of the first sample, contiguous per stream, below 2^53. */
  readonly seq: number;
}

export const outboxIdentityMetric = 'Outbox/Identity';

const size = 24;

export function encodeIdentity(stream: Uint8Array, seq: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(stream.subarray(0, 16));
  const view = new DataView(bytes.buffer);
  view.setUint32(16, seq % 0x1_0000_0000, true);
  view.setUint32(20, Math.floor(seq / 0x1_0000_0000), true);
  return bytes;
}

/** Reads the identity at `start` of `bytes`. Throws WireError when it is not 24 bytes or the number is above 2^53. */
export function decodeIdentity(bytes: Uint8Array, start: number, end: number): OutboxIdentity {
  if (end - start !== size) throw new WireError('wire.malformed', `${outboxIdentityMetric} has ${end - start} bytes, not ${size}`);
  let stream = '';
  for (let i = start; i < start + 16; i++) stream += (bytes[i] as number).toString(16).padStart(2, '0');
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  const seq = view.getUint32(20, true) * 0x1_0000_0000 + view.getUint32(16, true);
  if (!Number.isSafeInteger(seq)) throw new WireError('wire.malformed', `${outboxIdentityMetric} has a number above 2^53`);
  return { stream, seq };
}
