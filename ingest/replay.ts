import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import type { Replayed } from '@nhip/core/telemetry/replay';
import type { BatchMark } from '@nhip/core/telemetry/sample-batch';
import type { Book } from './book.ts';
import type { Work } from './work.ts';

/**
 * Keeps in the batch what a dead letter gives now and was not stored before, and takes it back from the dead-lettered samples.
 *
 * A letter whose message this store never read (the database was restored from before it) was never counted here: its numbers are
 * judged like those of any message, since the edge may have sent them again. Returns how many samples are kept; -1 when the book is full.
 */
export function takeReplayed(replayed: Replayed, book: Book, work: Work, mark: BatchMark, atMs: number): number {
  const { letter, edge, identity, places } = replayed;
  const { batch, losses } = work;
  const isCounted = book.hasRead(letter.sourceLog, letter.sourceIndex);
  const seen = isCounted || identity === undefined ? undefined : (book.streams(edge).get(identity.stream)?.seen ?? new IntervalSet());
  const isNew = (place: number): boolean =>
    seen === undefined || identity === undefined ? !book.letters.has(letter, place) : !seen.has(identity.seq + place);
  const fresh = places.filter(isNew);
  batch.keep(mark, (row) => isNew(places[row - mark.length] ?? -1));
  if (fresh.length === 0) return 0;
  if (seen !== undefined && identity !== undefined) {
    const account = book.useStream(edge, identity.stream).account;
    for (const place of fresh) account.seen.add(identity.seq + place, identity.seq + place + 1);
  } else if (!book.letters.add(letter, fresh)) {
    batch.rewind(mark);
    return -1;
  }
  if (isCounted) {
    const first = identity?.seq ?? 0;
    const numbers = {
      stream: identity?.stream ?? '',
      seqFrom: first,
      seqTo: first + (Math.max(...fresh) + 1) * (identity === undefined ? 0 : 1),
    };
    for (const row of letter.rows) {
      const count = fresh.filter((place) => row.places.some(([from, to]) => place >= from && place < to)).length;
      // A message that could not be read was counted as fewer samples than it has.
      const samples = Math.min(count, row.samples);
      if (samples > 0) losses.addDead({ edge, detail: letter.reason, atMs, ...numbers }, row, -samples);
    }
  }
  return fresh.length;
}
