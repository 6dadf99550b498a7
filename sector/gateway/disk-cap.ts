import { periodAt } from '../contract/period.ts';
import type { Period } from '../contract/report.ts';
import type { OutboxItem } from './outbox/item.ts';

/** Hours that one report of their day can stand for. */
export interface Merge {
  readonly recipient: string;
  readonly day: Period;
  readonly hours: readonly OutboxItem[];
}

/**
 * The oldest hours that are neither sealed nor sent, of a day that is over: what to merge when reports that wait fill their space. No
 * hour is lost: the day's report is the sum over the same time. undefined: there is nothing to merge.
 */
export function oldestMerge(items: readonly OutboxItem[], dayStart: string, nowMs: number): Merge | undefined {
  const isHour = (item: OutboxItem): boolean =>
    item.duration === 'PT1H' && (item.state === 'held' || item.state === 'approved') && item.status !== 'withdrawn';
  for (const first of items.filter(isHour)) {
    const day = periodAt(first.fromMs, 'P1D', dayStart);
    if (Date.parse(day.to) > nowMs) continue;
    const [fromMs, toMs] = [Date.parse(day.from), Date.parse(day.to)];
    const hours = items.filter((item) => isHour(item) && item.recipient === first.recipient && item.fromMs >= fromMs && item.toMs <= toMs);
    // One hour is no smaller as a day.
    if (hours.length > 1) return { recipient: first.recipient, day, hours };
  }
  return undefined;
}
