import { WireError } from '../wire/wire-error.ts';
import { encodeLogMessage } from './log-record.ts';
import type { RejectReason, RejectRow } from './rejects.ts';

/** Why something is a dead letter: the decoder's reason, or the store's "never". */
export type DeadLetterReason = RejectReason | 'storeRefused';

/**
 * What could not be stored, kept with the reason: one record per message and reason, durable before the checkpoint
 * moves past the message. After a crash between the two a letter can be there twice: its source tells.
 * Bytes: length of the head u32 LE | head as JSON | record.
 */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly samples: number;
  /** Whose samples they are, as they were counted; empty when they are no samples. */
  readonly rows: readonly RejectRow[];
  /** Id of the broker's log. */
  readonly sourceLog: string;
  /** Index of the message in it. */
  readonly sourceIndex: number;
  /** Tells letters of one message and reason apart, 0 but for samples that the store refused at different times. */
  readonly part: number;
  /** The log record as it was read: sender, topic, payload. Of `storeRefused`: a record of the refused samples (refused-samples.ts). */
  readonly record: Uint8Array;
}

const lengthBytes = 4;

export function encodeDeadLetter({ record, ...head }: DeadLetter): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(lengthBytes + header.length + record.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, lengthBytes);
  bytes.set(record, lengthBytes + header.length);
  return bytes;
}

/** Letters of releases that did not keep `rows` have none. Throws WireError when the bytes are no letter. */
export function decodeDeadLetter(bytes: Uint8Array): DeadLetter {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(lengthBytes, lengthBytes + length))) as Omit<DeadLetter, 'record'>;
    return { ...head, rows: head.rows ?? [], part: head.part ?? 0, record: bytes.subarray(lengthBytes + length) };
  } catch {
    throw new WireError('wire.malformed', 'the bytes are no dead letter');
  }
}

/**
 * Topic of the log record by which a dead letter comes back: it is decoded again with what the births say by now. Not reachable by clients:
 * the broker's ACL knows telemetry topics only.
 */
export const replayTopic = 'nhip/dead-letter/replay';

/** `force`: also samples whose time is outside the limits. */
export interface Replay {
  readonly letter: DeadLetter;
  readonly force: boolean;
}

/** The log record to append for a replay. `receivedMs` is the server's time now. */
export function encodeReplay({ letter, force }: Replay, receivedMs: number): Uint8Array {
  const bytes = encodeDeadLetter(letter);
  const payload = new Uint8Array(1 + bytes.length);
  payload[0] = force ? 1 : 0;
  payload.set(bytes, 1);
  return encodeLogMessage({ receivedMs, sender: '', topic: replayTopic, payload });
}

/** Takes the payload of a record with `replayTopic`. Throws WireError. */
export function decodeReplay(payload: Uint8Array): Replay {
  return { letter: decodeDeadLetter(payload.subarray(1)), force: payload[0] === 1 };
}
