import type { Digest } from '../contract/report.ts';
import { type OutboxItem, openStates, sentStates } from './outbox/item.ts';

/** What there is of a series that a new revision has to do with. Items in the order in which they were made. */
export interface SeriesView {
  /** The newest revision that left or is sealed: the next one follows it. */
  readonly base?: OutboxItem;
  /** What still waits for people or time: a new one takes its place. */
  readonly open?: OutboxItem;
  readonly last?: OutboxItem;
}

export function viewOf(series: readonly OutboxItem[]): SeriesView {
  const base = series.filter(({ state }) => sentStates.includes(state)).reduce<OutboxItem | undefined>(newer, undefined);
  const open = series.findLast(({ state }) => openStates.includes(state));
  const last = series.at(-1);
  return { ...(base === undefined ? {} : { base }), ...(open === undefined ? {} : { open }), ...(last === undefined ? {} : { last }) };
}

function newer(a: OutboxItem | undefined, b: OutboxItem): OutboxItem {
  return a === undefined || b.revision > a.revision ? b : a;
}

/** What figures as they are now ask for. */
export type Wish =
  /** The recipient knows, or will. */
  | 'nothing'
  /** What waits is not true any more, and the recipient has what is true. */
  | 'drop-open'
  | 'new-revision';

/**
 * Whether a period needs a new revision.
 *
 * A recipient learns of a change only when something that it may see has changed: late data in a field that stays do not even cause a
 * revision. A new policy by itself does not restate what was sent. What was refused is not tried again unless the content, the policy or
 * a person (`isRetryAsked`) asks for it.
 */
export function wishOf(
  { base, open, last }: SeriesView,
  now: { readonly sourceDigest: Digest; readonly contentDigest: Digest; readonly policyDigest: Digest },
): Wish {
  const isSame = (item: OutboxItem): boolean => item.contentDigest === now.contentDigest && item.policyDigest === now.policyDigest;
  if (base !== undefined && (base.sourceDigest === now.sourceDigest || base.contentDigest === now.contentDigest)) {
    return open === undefined ? 'nothing' : 'drop-open';
  }
  if (open !== undefined) return isSame(open) ? 'nothing' : 'new-revision';
  if (last?.state === 'rejected' && isSame(last) && last.isRetryAsked !== true) return 'nothing';
  return 'new-revision';
}

/** Whether a series is left alone: consent was taken back, nobody approved in time, its day says it, or the report was withdrawn. */
export function isClosed({ last }: SeriesView): boolean {
  if (last === undefined) return false;
  if (last.mergedInto !== undefined || last.state === 'withdrawn') return true;
  if (last.state === 'expired') return last.isRetryAsked !== true;
  return last.status === 'withdrawn' && (openStates.includes(last.state) || sentStates.includes(last.state));
}
