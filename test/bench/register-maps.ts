import type { Random } from '@nhip/core/process/env';
import type { Block, PlanLimits, Span } from '@nhip/edge-agent/drivers/modbus/plan';

/** Values of one table, with so many registers each. */
export interface RegisterMap {
  readonly addresses: readonly { readonly start: number; readonly count: number }[];
}

/** Registers of a value: mostly one or two, as in the manuals of meters and drives. */
const lengths = [1, 1, 1, 2, 2, 2, 2, 4] as const;
/** Values come in groups, with gaps between the groups. */
const longestGroup = 12;

/** A random map in which about `density` (0–1) of the registers between the first and the last value are used. */
export function randomMap(values: number, density: number, random: Random): RegisterMap {
  const below = (count: number): number => Math.floor(random.next() * count);
  const addresses: { start: number; count: number }[] = [];
  let at = below(100);
  while (addresses.length < values) {
    const before = at;
    for (let left = Math.min(1 + below(longestGroup), values - addresses.length); left > 0; left--) {
      const count = lengths[below(lengths.length)] ?? 1;
      addresses.push({ start: at, count });
      // Some values lie in the place of others: bits of one word, the halves of a number.
      if (left === 1 || random.next() > 0.05) at += count;
    }
    const gap = ((at - before) * (1 - density)) / density;
    at += Math.round(2 * random.next() * gap);
  }
  return { addresses };
}

/** What one plan asks for in a cycle. */
export interface PlanSums {
  readonly requests: number;
  /** In the unit of the limits' costs. */
  readonly cost: number;
}

export function sumsOf(blocks: readonly Pick<Block, 'start' | 'end'>[], limits: PlanLimits): PlanSums {
  const registers = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
  return { requests: blocks.length, cost: blocks.length * limits.requestCost + registers * limits.addressCost };
}

/**
 * The cheapest plan, found by trying every way to put the spans into requests, also ones that no sensible planner would: for at most about
 * 9 spans. Of two plans that cost the same the one with fewer requests.
 */
export function bestPlan(spans: readonly Span[], limits: PlanLimits): PlanSums {
  let best: PlanSums = { requests: Number.POSITIVE_INFINITY, cost: Number.POSITIVE_INFINITY };
  const groups: Span[][] = [];
  const place = (i: number): void => {
    const span = spans[i];
    if (span === undefined) {
      const sums = sumsOf(groups.map(hull), limits);
      const isCheaper = sums.cost < best.cost - 1e-9;
      if (isCheaper || (sums.cost < best.cost + 1e-9 && sums.requests < best.requests)) best = sums;
      return;
    }
    for (const group of groups) {
      group.push(span);
      if (isAllowed(group, limits)) place(i + 1);
      group.pop();
    }
    groups.push([span]);
    place(i + 1);
    groups.pop();
  };
  place(0);
  return best;
}

function hull(group: readonly Span[]): { readonly start: number; readonly end: number } {
  return { start: Math.min(...group.map(({ start }) => start)), end: Math.max(...group.map(({ end }) => end)) };
}

function isAllowed(group: readonly Span[], limits: PlanLimits): boolean {
  const { start, end } = hull(group);
  return end - start <= limits.maxCount;
}

/** The fewest requests that can read the spans when every gap may be bridged: the next one begins at the first span that does not fit. */
export function fewestRequests(spans: readonly Span[], maxCount: number): number {
  let requests = 0;
  let begin = Number.NEGATIVE_INFINITY;
  for (const { start, end } of spans) {
    if (end - begin <= maxCount) continue;
    requests++;
    begin = start;
  }
  return requests;
}
