import { PermanentError } from '@nhip/core/process/errors';
import type { StateTimes } from './history-store.ts';

/** Something known of a metric whose text holds until the next: a sample (`fromMs` = `toMs`), or a step of a roll-up. */
export interface StateSpan {
  /** Up to here the word before it held: the time of its first sample. */
  readonly fromMs: number;
  /** From here on `last` holds. */
  readonly toMs: number;
  readonly last: string | null;
  /** What held between the two, to be counted at `atMs`. */
  readonly held: readonly { readonly state: string | null; readonly ms: number }[];
  readonly atMs: number;
}

/**
 * How long each word held in [fromMs, toMs), by aligned bucket of `everyMs`. `before` held at `fromMs`; undefined: nothing did.
 * Spans are sorted and do not overlap.
 */
export function addUpStates(
  spans: Iterable<StateSpan>,
  before: string | null | undefined,
  { fromMs, toMs, everyMs }: { readonly fromMs: number; readonly toMs: number; readonly everyMs: number },
): StateTimes {
  const buckets = new Map<number, Map<string | null, number>>();
  const bucketOf = (atMs: number): number => Math.floor(atMs / everyMs) * everyMs;

  function add(bucket: number, state: string | null, ms: number): void {
    if (ms <= 0) return;
    const states = buckets.get(bucket) ?? new Map<string | null, number>();
    buckets.set(bucket, states.set(state, (states.get(state) ?? 0) + ms));
  }
  function hold(state: string | null | undefined, from: number, to: number): void {
    if (state === undefined) return;
    for (let at = from; at < to; ) {
      const end = Math.min(to, bucketOf(at) + everyMs);
      add(bucketOf(at), state, end - at);
      at = end;
    }
  }

  let state = before;
  let atMs = fromMs;
  for (const span of spans) {
    hold(state, atMs, span.fromMs);
    for (const held of span.held) add(bucketOf(span.atMs), held.state, held.ms);
    atMs = Math.max(atMs, span.toMs);
    state = span.last;
  }
  hold(state, atMs, toMs);

  const rows = [...buckets]
    .sort(([a], [b]) => a - b)
    .flatMap(([t, states]) => [...states].sort(byName).map(([word, ms]) => ({ t, state: word, ms })));
  return { t: rows.map(({ t }) => t), state: rows.map((row) => row.state), ms: rows.map(({ ms }) => ms) };
}

/** Throws PermanentError `store.tooManySamples` when the answer has more than `limit` rows. */
export function requireRows(answer: readonly { readonly t: readonly number[] }[], limit: number): void {
  if (answer.reduce((sum, { t }) => sum + t.length, 0) <= limit) return;
  throw new PermanentError('store.tooManySamples', `The answer has more than ${limit} rows: ask for a shorter time, or longer buckets`);
}

/** A null stands before all words. */
function byName([a]: readonly [string | null, number], [b]: readonly [string | null, number]): number {
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}
