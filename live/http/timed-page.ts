import { z } from 'zod';
import { cursorText, readCursor } from './page.ts';

/**
 * Pages of rows that the store gives in the order of their time and that share times: a page goes on at the time of the last row of the
 * page before, without the rows of that time that were on it. Range and place are in the cursor, so that "until now" stays what it was.
 */
const maxSkipped = 1_000_000;
const place = z.tuple([z.number(), z.number(), z.int().min(0).max(maxSkipped)]);

export interface TimedPlace {
  readonly fromMs: number;
  readonly toMs: number;
  /** Rows at the begin (of the order) that were told already. */
  readonly skip: number;
}

export function readPlace(cursor: string | undefined, begin: () => { readonly fromMs: number; readonly toMs: number }): TimedPlace {
  const found = readCursor(cursor, place);
  return found === undefined ? { ...begin(), skip: 0 } : { fromMs: found[0], toMs: found[1], skip: found[2] };
}

export function placeText({ fromMs, toMs, skip }: TimedPlace): string {
  return cursorText([fromMs, toMs, skip]);
}

/**
 * What the next page begins with after `count` rows of this one, undefined when there is no more. `times` are those of all rows that
 * the store gave for this place, asked for with a limit of `skip + count + 1`.
 */
export function nextPlace(
  times: readonly number[],
  { fromMs, toMs, skip }: TimedPlace,
  count: number,
  order: 'oldest' | 'newest',
): TimedPlace | undefined {
  const end = skip + count;
  if (times.length <= end) return undefined;
  const lastMs = times[end - 1] ?? 0;
  let shared = 0;
  while (shared < end && times[end - 1 - shared] === lastMs) shared += 1;
  return order === 'oldest' ? { fromMs: lastMs, toMs, skip: shared } : { fromMs, toMs: lastMs + 1, skip: shared };
}
