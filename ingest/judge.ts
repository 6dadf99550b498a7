import type { Decoded } from '@nhip/core/telemetry/decoder';
import type { IntervalSet } from '@nhip/core/telemetry/interval-set';
import type { BatchMark, SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { LossReport } from '@nhip/core/wire/loss';
import type { OutboxIdentity, ResendRequest } from '@nhip/core/wire/outbox-identity';
import type { Book, StreamAccount } from './book.ts';
import { blankLoss, type LossList, lossesOfReport } from './loss-rows.ts';
import { type NewPart, takeNew } from './repeat-filter.ts';
import { maxResendIntervals } from './resend.ts';

/** What is to be done about one message, beside what its batch and its losses got. */
export interface Judged extends NewPart {
  /** Numbers that the edge was acknowledged and that never came. */
  readonly missing: readonly ResendRequest[];
}

/** A stream that sends this scattered is not one of our edges; its smallest gaps are given up, so that memory stays bounded. */
const maxIntervals = 1024;
/** Gaps of a replaced outbox that get a row of their own; the rest is one row. */
const maxGapRows = 64;

/**
 * The single judge of what became of each number: what is new is kept, a loss counts for numbers that nobody saw, and what an edge
 * released without this server having it is missing. Changes `book` and `losses`; `batch` has the samples of the message since `mark`.
 */
export function judgeMessage(decoded: Decoded, book: Book, batch: SampleBatch, mark: BatchMark, losses: LossList, atMs: number): Judged {
  const { edge, identity, identityCount, released, rejects, firstTick } = decoded;
  // First the mark: what it covers came before this message.
  const missing = released === undefined ? [] : judgeReleased(book, edge, released, losses, atMs);
  for (const report of decoded.losses) judgeReport(book, edge, report, losses, atMs);
  if (identity === undefined || identityCount === 0) return { repeats: 0, rejects, missing };
  const { seen } = account(book, edge, identity.stream, losses, atMs);
  const part = takeNew(seen, { seq: identity.seq, count: identityCount, batch, mark, rejects, firstTick });
  bound(seen, edge, identity.stream, losses, atMs);
  return { ...part, missing };
}

function judgeReleased(
  book: Book,
  edge: string,
  { stream, seq }: OutboxIdentity,
  losses: LossList,
  atMs: number,
): readonly ResendRequest[] {
  // An edge speaks of a newer stream when nothing of the older one is left: no report, nothing to send.
  for (const [other, state] of book.streams(edge)) {
    if (!state.isCurrent || other === stream) continue;
    state.isCurrent = false;
    closeStream(edge, other, state, losses, atMs);
  }
  const found = account(book, edge, stream, losses, atMs);
  found.isCurrent = true;
  if (!found.isComplete) {
    // The first that this store hears of the edge: what was released before went to another store.
    found.seen.add(0, seq);
    found.isComplete = true;
    bound(found.seen, edge, stream, losses, atMs);
  }
  found.released = Math.max(found.released, seq);
  return found.seen.gaps(0, seq, maxResendIntervals).map(([from, to]) => ({ stream, from, to }));
}

function judgeReport(book: Book, edge: string, report: LossReport, losses: LossList, atMs: number): void {
  const { ledger, no, stream, seqFrom, seqTo } = report;
  const taken = book.ledger(edge, ledger);
  if (taken.has(no)) return;
  taken.add(no, no + 1);
  let unseen = 0;
  if (seqTo > seqFrom) {
    // A report is no sign of life of a stream: it may be about one that is long replaced.
    const { seen } = book.streams(edge).get(stream) ?? book.useStream(edge, stream).account;
    unseen = seqTo - seqFrom - seen.overlap(seqFrom, seqTo);
    seen.add(seqFrom, seqTo);
    bound(seen, edge, stream, losses, atMs);
    if (unseen === 0) return;
  }
  losses.add(...lossesOfReport(edge, report, unseen, atMs));
}

/**
 * The account of a stream that the edge uses. Two can be in use at once: the backlog of one beside the live data of its successor. A
 * stream begins at 0, so of a new one of an edge that this store knows it should have everything.
 */
function account(book: Book, edge: string, stream: string, losses: LossList, atMs: number): StreamAccount {
  const known = book.streams(edge);
  const isNewOfKnown = !known.has(stream) && [...known.values()].some(({ isComplete }) => isComplete);
  const { account: found, forgotten } = book.useStream(edge, stream);
  if (isNewOfKnown) found.isComplete = true;
  for (const [old, state] of forgotten) closeStream(edge, old, state, losses, atMs);
  return found;
}

/** The outbox is gone, and with it whoever could send what is missing. */
function closeStream(edge: string, stream: string, { seen, isComplete, released }: StreamAccount, losses: LossList, atMs: number): void {
  const end = Math.max(seen.end, released);
  if (!isComplete || end === 0) return;
  const gaps = seen.gaps(0, end);
  const own = gaps.length > maxGapRows ? gaps.slice(0, maxGapRows - 1) : gaps;
  const rest = gaps.slice(own.length);
  const loss = blankLoss(edge, 'outboxReplaced', atMs);
  for (const [seqFrom, seqTo] of own) losses.add({ ...loss, stream, seqFrom, seqTo, samples: seqTo - seqFrom });
  const [first] = rest;
  if (first !== undefined) {
    losses.add({ ...loss, stream, seqFrom: first[0], seqTo: end, samples: rest.reduce((sum, [from, to]) => sum + to - from, 0) });
  }
  seen.add(0, end);
}

function bound(seen: IntervalSet, edge: string, stream: string, losses: LossList, atMs: number): void {
  while (seen.intervalCount > maxIntervals) {
    const gap = seen.closeSmallestGap();
    if (gap === undefined) return;
    const [seqFrom, seqTo] = gap;
    losses.add({ ...blankLoss(edge, 'tooScattered', atMs), stream, seqFrom, seqTo, samples: seqTo - seqFrom });
  }
}
