import type { LogBus } from '@nhip/core/log/log-bus';
import { type DeadLetter, decodeDeadLetter } from '@nhip/core/telemetry/dead-letter';
import { decodeLogMessage, type LogMessage } from '@nhip/core/telemetry/log-record';
import { WireError } from '@nhip/core/wire/wire-error';

/** A dead letter with what its record says, and its number in the log of dead letters. */
export interface KeptLetter {
  readonly no: number;
  readonly letter: DeadLetter;
  readonly message: LogMessage;
  /** `<group>/<edge>` */
  readonly edge: string;
}

/** Which letters somebody means; what is absent does not matter. */
export interface LetterFilter {
  readonly sourceIndexes?: readonly number[] | undefined;
  readonly reason?: string | undefined;
  readonly edge?: string | undefined;
  /** Only what arrived then or later, ms UTC. */
  readonly sinceMs?: number | undefined;
}

/** A crash can make a letter twice, one after the other. */
const rememberedLetters = 10_000;

/** All letters that are kept, from number `from` on, oldest first, each once; what is damaged is left out. */
export async function* readLetters(log: Pick<LogBus, 'read'>, from = 0): AsyncGenerator<KeptLetter> {
  const seen = new Set<string>();
  for (let next = from; ; ) {
    const records = await log.read(next, { maxRecords: 1000, maxBytes: 4_194_304, waitMs: 0 });
    const last = records.at(-1);
    if (last === undefined) return;
    for (const { index, payload } of records) {
      const kept = decode(index, payload);
      if (kept === undefined) continue;
      const { sourceLog, sourceIndex, reason, part } = kept.letter;
      const key = `${sourceLog} ${sourceIndex} ${reason} ${part}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const [oldest] = seen;
      if (seen.size > rememberedLetters && oldest !== undefined) seen.delete(oldest);
      yield kept;
    }
    next = last.index + 1;
  }
}

function decode(no: number, payload: Uint8Array): KeptLetter | undefined {
  try {
    const letter = decodeDeadLetter(payload);
    const message = decodeLogMessage(letter.record);
    return { no, letter, message, edge: edgeOf(letter, message) };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The credential that sent it; of samples that the store refused, whose they are. */
function edgeOf({ rows }: DeadLetter, { sender }: LogMessage): string {
  return sender !== '' ? sender : (rows[0]?.machine ?? '').split('/').slice(0, 2).join('/');
}

export function isWanted({ letter, message, edge }: KeptLetter, filter: LetterFilter): boolean {
  return (
    (filter.sourceIndexes === undefined || filter.sourceIndexes.includes(letter.sourceIndex)) &&
    (filter.reason === undefined || filter.reason === letter.reason) &&
    (filter.edge === undefined || filter.edge === edge) &&
    (filter.sinceMs === undefined || message.receivedMs >= filter.sinceMs)
  );
}
