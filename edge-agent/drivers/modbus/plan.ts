import type { ModbusAddress, Table } from './address.ts';

/**
 * The read plan of a device: which requests read all its points.
 *
 * Points that share the same place form one span; neighbouring spans of a table are read together as a block. A block may read along
 * unused addresses between two spans (a bridged gap) and never cuts a span. A cut is an address where a new block must begin,
 * because the device refused to answer for both sides together.
 */

export interface PlanLimits {
  /** Most registers or bits in one request. */
  readonly maxCount: number;
  /** Most unused registers or bits between two spans of one block. */
  readonly maxGap: number;
  /** What a request costs beside its data, and what each register or bit in it costs: the plan with the least sum is taken. */
  readonly requestCost: number;
  readonly addressCost: number;
}

/** Addresses [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Indices of the points that live here. */
  readonly points: readonly number[];
}

export interface Block {
  readonly table: Table;
  readonly start: number;
  readonly end: number;
  /** Sorted by start. */
  readonly spans: readonly Span[];
}

/** Groups the points of one table by place: sorted by start, longer ones first. */
export function spansOf(addresses: readonly ModbusAddress[], table: Table): readonly Span[] {
  const byPlace = new Map<string, { start: number; end: number; points: number[] }>();
  addresses.forEach((address, point) => {
    if (address.table !== table) return;
    const key = `${address.start}+${address.count}`;
    const span = byPlace.get(key);
    if (span === undefined) byPlace.set(key, { start: address.start, end: address.start + address.count, points: [point] });
    else span.points.push(point);
  });
  return [...byPlace.values()].sort((a, b) => a.start - b.start || b.end - a.end);
}

/**
 * The cheapest blocks for spans that are sorted as `spansOf` does. It is enough to look at blocks of spans that follow each other: of two
 * blocks that overlap, each span can be read with the one that its predecessor is in.
 */
export function planBlocks(table: Table, spans: readonly Span[], limits: PlanLimits, cuts: ReadonlySet<number>): readonly Block[] {
  const cutsBefore = countCutsBefore(spans, cuts);
  /** Per number of leading spans: the cost of reading them, and where their last block begins. */
  const cost = [0, ...spans.map(() => Number.POSITIVE_INFINITY)];
  const lastBlock = cost.map(() => 0);
  spans.forEach(({ start }, first) => {
    const costBefore = cost[first] ?? 0;
    let end = start;
    for (let i = first; i < spans.length; i++) {
      const span = spans[i] as Span;
      if (i > first && (span.start - end > limits.maxGap || cutsBefore[i] !== cutsBefore[first])) break;
      end = Math.max(end, span.end);
      // The first span is read whatever the limit says: there is no smaller request for it.
      if (i > first && end - start > limits.maxCount) break;
      const sum = costBefore + limits.requestCost + (end - start) * limits.addressCost;
      if (sum >= (cost[i + 1] ?? 0)) continue;
      cost[i + 1] = sum;
      lastBlock[i + 1] = first;
    }
  });
  const blocks: Block[] = [];
  for (let count = spans.length; count > 0; count = lastBlock[count] ?? 0) {
    blocks.push(blockOf(table, spans.slice(lastBlock[count], count)));
  }
  return blocks.reverse();
}

/** The two parts of a block that the device refused: cut at its widest gap, or in the middle when it has none; none for a single span. */
export function split(block: Block): readonly Block[] {
  const { spans, table } = block;
  if (spans.length < 2) return [];
  const middle = spans.length / 2;
  let at = spans.length >> 1;
  let widest = 0;
  let end = spans[0]?.end ?? 0;
  spans.forEach((span, i) => {
    const gap = span.start - end;
    if (gap > widest || (gap === widest && gap > 0 && Math.abs(i - middle) < Math.abs(at - middle))) {
      widest = gap;
      at = i;
    }
    end = Math.max(end, span.end);
  });
  return [blockOf(table, spans.slice(0, at)), blockOf(table, spans.slice(at))];
}

/** For each span, how many cuts lie at or before its start: two spans with the same number have no cut between them. */
function countCutsBefore(spans: readonly Span[], cuts: ReadonlySet<number>): readonly number[] {
  const sorted = [...cuts].sort((a, b) => a - b);
  let count = 0;
  return spans.map((span) => {
    while (count < sorted.length && (sorted[count] ?? 0) <= span.start) count++;
    return count;
  });
}

function blockOf(table: Table, spans: readonly Span[]): Block {
  const end = spans.reduce((latest, span) => Math.max(latest, span.end), 0);
  return { table, start: spans[0]?.start ?? 0, end, spans };
}
