import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import { type DeadLetter, decodeDeadLetter, encodeDeadLetter } from '@nhip/core/telemetry/dead-letter';
import type { Decoded } from '@nhip/core/telemetry/decoder';
import type { Reject } from '@nhip/core/telemetry/rejects';
import type { DeadSource } from './loss-rows.ts';
import type { Work } from './work.ts';

/** Adds what the decoder rejected of a message to the work: a letter per reason, and its samples to the losses. */
export function keepRejects(
  rejects: readonly Reject[],
  decoded: Decoded,
  record: LogRecord,
  sourceLog: string,
  work: Work,
  atMs: number,
): void {
  if (rejects.length === 0) return;
  const { edge, identity, identityCount, message } = decoded;
  const seqFrom = identity?.seq ?? 0;
  const numbers = { stream: identity?.stream ?? '', seqFrom, seqTo: seqFrom + (identity === undefined ? 0 : identityCount) };
  for (const reject of rejects) {
    work.rejected += reject.samples;
    const source: DeadSource = { edge: edge === '' ? (message?.sender ?? '') : edge, detail: reject.reason, atMs, ...numbers };
    for (const row of reject.rows) work.losses.addDead(source, row, row.samples);
    const letter = encodeDeadLetter({ ...reject, sourceLog, sourceIndex: record.index, part: 0, record: record.payload });
    work.letters.push(letter);
    work.letterBytes += letter.length;
  }
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
      const key = `${letter.sourceLog} ${letter.sourceIndex} ${letter.reason} ${letter.part}`;
      if (listed.has(key)) continue;
      listed.add(key);
      yield letter;
    }
    index = (records.at(-1)?.index ?? index) + 1;
  }
}
