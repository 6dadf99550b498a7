import { WireError } from '../wire/wire-error.ts';

/**
 * What the broker's log holds: one MQTT message with who sent it and when it came.
 * Bytes: version u8 = 1 | received ms f64 LE | sender length u16 LE | topic length u16 LE | sender | topic | payload.
 */
export interface LogMessage {
  /** Server time of arrival, ms UTC. */
  readonly receivedMs: number;
  /** User name of the credential that published it. */
  readonly sender: string;
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Topic of the record that a starting broker writes: all sessions before it have ended. Not reachable by clients. */
export const brokerStartedTopic = 'nhip/broker/started';

const version = 1;
const headerBytes = 13;
/** The last millisecond that a calendar knows (ECMA-262, time values). */
const latestTimeMs = 8.64e15;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** Senders and topics are few and come back with every message: each is encoded once. */
const maxKnownTexts = 4096;
const knownTexts = new Map<string, Uint8Array>();

function encodeText(text: string): Uint8Array {
  let bytes = knownTexts.get(text);
  if (bytes === undefined) {
    bytes = textEncoder.encode(text);
    if (knownTexts.size >= maxKnownTexts) knownTexts.clear();
    knownTexts.set(text, bytes);
  }
  return bytes;
}

export function encodeLogMessage({ receivedMs, sender, topic, payload }: LogMessage): Uint8Array {
  const senderBytes = encodeText(sender);
  const topicBytes = encodeText(topic);
  // Not zeroed first: every byte is written below.
  const bytes = Buffer.allocUnsafe(headerBytes + senderBytes.length + topicBytes.length + payload.length);
  bytes[0] = version;
  bytes.writeDoubleLE(receivedMs, 1);
  bytes.writeUInt16LE(senderBytes.length, 9);
  bytes.writeUInt16LE(topicBytes.length, 11);
  bytes.set(senderBytes, headerBytes);
  bytes.set(topicBytes, headerBytes + senderBytes.length);
  bytes.set(payload, headerBytes + senderBytes.length + topicBytes.length);
  return bytes;
}

/** Throws WireError when the record is not one of ours or was written by a newer version. */
export function decodeLogMessage(bytes: Uint8Array): LogMessage {
  if (bytes.length < headerBytes) throw new WireError('wire.truncated', `log record has only ${bytes.length} bytes`);
  if (bytes[0] !== version) throw new WireError('wire.malformed', `log record has version ${bytes[0]}, this program reads ${version}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const topicStart = headerBytes + view.getUint16(9, true);
  const payloadStart = topicStart + view.getUint16(11, true);
  if (payloadStart > bytes.length) throw new WireError('wire.truncated', 'log record ends inside its header');
  const receivedMs = view.getFloat64(1, true);
  if (!(Math.abs(receivedMs) <= latestTimeMs)) throw new WireError('wire.malformed', `log record came at ${receivedMs}, which is no time`);
  return {
    receivedMs,
    sender: textDecoder.decode(bytes.subarray(headerBytes, topicStart)),
    topic: textDecoder.decode(bytes.subarray(topicStart, payloadStart)),
    payload: bytes.subarray(payloadStart),
  };
}
