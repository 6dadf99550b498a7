import type { LogBus } from '@nhip/core/log/log-bus';
import type { Reject } from '@nhip/core/telemetry/decoder';

/**
 * What could not be stored, kept with the reason: one record per message and reason, durable before the checkpoint
 * moves past the message. After a crash between the two a letter can be there twice: `sourceIndex` tells.
 */
export interface DeadLetter {
  readonly reason: Reject['reason'];
  readonly detail: string;
  readonly samples: number;
  /** Index of the message in the broker's log. */
  readonly sourceIndex: number;
  /** The log record as it was read: sender, topic, payload. */
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

export function decodeDeadLetter(bytes: Uint8Array): DeadLetter {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(lengthBytes, lengthBytes + length))) as Omit<DeadLetter, 'record'>;
  return { ...head, record: bytes.subarray(lengthBytes + length) };
}

/** All letters that are kept, oldest first. */
export async function* listDeadLetters(log: Pick<LogBus, 'read'>): AsyncGenerator<DeadLetter> {
  let index = 0;
  for (;;) {
    const records = await log.read(index, { maxRecords: 1000, maxBytes: 4_194_304, waitMs: 0 });
    if (records.length === 0) return;
    for (const record of records) yield decodeDeadLetter(record.payload);
    index = (records.at(-1)?.index ?? index) + 1;
  }
}
