import type { LogBus } from '@nhip/core/log/log-bus';
import type { OutboxIdentity } from '@nhip/core/wire/outbox-identity';
import type { LossLedger } from './loss-ledger.ts';
import { nextReadable, type ReadRecords } from './place.ts';

interface ReleasedDeps {
  readonly log: LogBus;
  readonly readOne: ReadRecords;
  /** Records below it are acknowledged, and the disk knows. */
  durableCursor(): number;
  readonly ledger: LossLedger;
  /** Behind the last number on disk, in the current stream. */
  durableEnd(): OutboxIdentity;
}

/**
 * Makes the function that tells how far everything was acknowledged: up to the first record that was not, and not beyond a loss
 * whose report was not. It stays in an older stream until nothing of that is left. Only acknowledgements count that are on disk, so
 * that it does not go back with a restart: the server takes a newer stream for the end of the older one.
 */
export function createReleased({
  log,
  readOne,
  durableCursor,
  ledger,
  durableEnd,
}: ReleasedDeps): () => Promise<OutboxIdentity | undefined> {
  async function sent(): Promise<OutboxIdentity | undefined> {
    const { firstIndex } = log.stats();
    const index = Math.max(durableCursor(), firstIndex);
    const last = index > firstIndex ? await nextReadable(readOne, index - 1) : undefined;
    const isEnd = index >= log.stats().nextIndex;
    if (last?.index === index - 1) {
      // Behind the last record there can be numbers that were only counted.
      return isEnd && last.stream === durableEnd().stream ? durableEnd() : { stream: last.stream, seq: last.end };
    }
    if (isEnd) return durableEnd();
    const next = await nextReadable(readOne, index);
    return next?.index === index ? { stream: next.stream, seq: next.seq } : undefined;
  }

  return async () => {
    const place = await sent();
    if (place === undefined) return undefined;
    const pending = ledger.pending();
    const order = ledger.streams.map(({ stream }) => stream);
    const older = pending.filter(({ stream }) => stream !== place.stream && order.indexOf(stream) < order.indexOf(place.stream));
    const [oldest] = older.sort((a, b) => order.indexOf(a.stream) - order.indexOf(b.stream));
    const stream = oldest?.stream ?? place.stream;
    const lowest = pending.filter((entry) => entry.stream === stream).map(({ seqFrom }) => seqFrom);
    const seq = Math.min(...lowest, stream === place.stream ? place.seq : Number.MAX_SAFE_INTEGER);
    if (stream === ledger.current?.stream) ledger.releasedSeq = Math.max(ledger.releasedSeq, seq);
    return { stream, seq };
  };
}
