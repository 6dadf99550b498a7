import type { LogBus } from '@nhip/core/log/log-bus';
import type { Reject } from '@nhip/core/telemetry/outcome';

/**
 * What could not be stored, kept with the reason: one record per message and reason, durable before the checkpoint
 * moves past the message. After a crash between the two a letter can be there twice: its source tells.
 */
export interface DeadLetter {
  readonly reason: Reject['reason'];
  readonly detail: string;
  readonly samples: number;
  /** Id of the broker's log. */
  readonly sourceLog: string;
  /** Index of the message in it. */
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

/** All letters that are kept, oldest first, each once. */
export async function* listDeadLetters(log: Pick<LogBus, 'read'>): AsyncGenerator<DeadLetter> {
  const listed = new Set<string>();
  let index = 0;
  for (;;) {
    const records = await log.read(index, { maxRecords: 1000, maxBytes: 4_194_304, waitMs: 0 });
    if (records.length === 0) return;
    for (const record of records) {
      const letter = decodeDeadLetter(record.payload);
      const key = `${letter.sourceLog} ${letter.sourceIndex} ${letter.reason}`;
      if (listed.has(key)) continue;
      listed.add(key);
      yield letter;
    }
    index = (records.at(-1)?.index ?? index) + 1;
  }
}
