import type { LogBus } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import { encodeReplay } from '@nhip/core/telemetry/dead-letter';
import type { DeadLetters } from '@nhip/live/http/routes/dead-letters';
import { isWanted, readLetters } from './letters.ts';

/** What the server's ingest says of its progress. */
export interface IngestProgress {
  /** Everything of the log below it is in the store. */
  storedBelow(): number;
  /** Samples that came back out of dead letters and were stored, since the process started. */
  replayed(): number;
}

/** How long an answer waits for ingest, so that it can say what came of the letters. */
const waitMs = 10_000;
const pollMs = 50;

/** One request puts back at most this many; the caller goes on from where it ended. */
const lettersPerRequest = 2000;
const bytesPerRequest = 16_777_216;

/** Puts letters back to ingest as records of the broker's log: what acknowledges, orders and survives a crash there does so here. */
export function createDeadLetters(deps: {
  readonly clock: Clock;
  readonly deadLetters: Pick<LogBus, 'read' | 'stats'>;
  readonly logBus: Pick<LogBus, 'append'>;
  readonly ingest: IngestProgress;
}): DeadLetters {
  const { clock, deadLetters, logBus, ingest } = deps;

  async function isStored(index: number): Promise<boolean> {
    const deadline = clock.monotonic() + waitMs;
    while (ingest.storedBelow() <= index) {
      if (clock.monotonic() > deadline) return false;
      await clock.sleep(pollMs);
    }
    return true;
  }

  return {
    async replay({ from, until = Number.POSITIVE_INFINITY, force, ...filter }) {
      // What is refused again becomes a letter behind these: to go on with it would have no end.
      const end = Math.min(until, deadLetters.stats().nextIndex);
      // Ingest stores the first letters while later ones are still being read.
      const before = ingest.replayed();
      const appends: Promise<number>[] = [];
      let samples = 0;
      let bytes = 0;
      let next: number | null = null;
      for await (const kept of readLetters(deadLetters, from)) {
        if (kept.no >= end) break;
        if (!isWanted(kept, filter)) continue;
        if (appends.length >= lettersPerRequest || bytes >= bytesPerRequest) {
          next = kept.no;
          break;
        }
        const record = encodeReplay({ letter: kept.letter, force }, clock.now());
        bytes += record.length;
        samples += kept.letter.samples;
        appends.push(logBus.append(record));
      }
      const last = Math.max(-1, ...(await Promise.all(appends)));
      const stored = (await isStored(last)) ? ingest.replayed() - before : null;
      return { replayed: appends.length, samples, stored, next, ...(next === null ? {} : { until: end }) };
    },
  };
}
