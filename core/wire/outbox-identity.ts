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

/**
 * NBIRTH and NDATA, same bytes as an identity: every number of the stream below it was acknowledged by the broker before this
 * message was sent, or is part of a loss report that was. What the server does not have of them it can ask for again.
 */
export const outboxReleasedMetric = 'Outbox/Released';

/** NDATA at QoS 1: a loss report (core/wire/loss) as JSON text. */
export const outboxLossMetric = 'Outbox/Loss';

/** NCMD: asks for numbers again that the server acknowledged and no longer has. Bytes: stream 16, from u64 LE, to u64 LE (exclusive). */
export const outboxResendMetric = 'Outbox/Resend';

/** Numbers [from, to) of a stream that the server asks for again. */
export interface ResendRequest {
  /** 32 hex digits. */
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

const streamBytes = 16;
const identityBytes = streamBytes + 8;
const resendBytes = identityBytes + 8;

/** `stream` has 16 bytes, `seq` is below 2^53. The same bytes for `Outbox/Identity` and `Outbox/Released`. */
export function encodeIdentity(stream: Uint8Array, seq: number): Uint8Array {
  const bytes = new Uint8Array(identityBytes);
  bytes.set(stream.subarray(0, streamBytes));
  writeNumber(bytes, streamBytes, seq);
  return bytes;
}

/** Reads the identity at `start` of `bytes`. Throws WireError when it is not 24 bytes or the number is above 2^53. */
export function decodeIdentity(bytes: Uint8Array, start: number, end: number): OutboxIdentity {
  if (end - start !== identityBytes) {
    throw new WireError('wire.malformed', `an outbox identity has ${end - start} bytes, not ${identityBytes}`);
  }
  return { stream: streamText(bytes, start), seq: readNumber(bytes, start + streamBytes) };
}

/** The value of `Outbox/Resend`. Throws WireError when `stream` is not 32 hex digits. */
export function encodeResend({ stream, from, to }: ResendRequest): Uint8Array {
  const bytes = new Uint8Array(resendBytes);
  bytes.set(streamFromText(stream));
  writeNumber(bytes, streamBytes, from);
  writeNumber(bytes, identityBytes, to);
  return bytes;
}

/** Throws WireError when it is not 32 bytes, a number is above 2^53 or the range is empty. */
export function decodeResend(bytes: Uint8Array): ResendRequest {
  if (bytes.length !== resendBytes) {
    throw new WireError('wire.malformed', `${outboxResendMetric} has ${bytes.length} bytes, not ${resendBytes}`);
  }
  const request = { stream: streamText(bytes, 0), from: readNumber(bytes, streamBytes), to: readNumber(bytes, identityBytes) };
  if (request.to <= request.from) {
    throw new WireError('wire.malformed', `${outboxResendMetric} asks for the empty range ${request.from}–${request.to}`);
  }
  return request;
}

/** The 16 bytes of a stream id. Throws WireError when `text` is not 32 hex digits. */
export function streamFromText(text: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new WireError('wire.malformed', 'a stream id is not 32 hex digits');
  return Uint8Array.from({ length: streamBytes }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** The 32 hex digits of the stream id at `start`. */
export function streamText(bytes: Uint8Array, start = 0): string {
  let text = '';
  for (let i = start; i < start + streamBytes; i++) text += (bytes[i] as number).toString(16).padStart(2, '0');
  return text;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(at, value % 0x1_0000_0000, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function readNumber(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw new WireError('wire.malformed', 'a number of an outbox is above 2^53');
  return value;
}
