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

/** Blocks for spans that are sorted by start. */
export function planBlocks(table: Table, spans: readonly Span[], limits: PlanLimits, cuts: ReadonlySet<number>): readonly Block[] {
  const groups: Span[][] = [];
  let start = 0;
  let end = 0;
  for (const span of spans) {
    const group = groups.at(-1);
    const joins =
      group !== undefined &&
      span.start - end <= limits.maxGap &&
      Math.max(end, span.end) - start <= limits.maxCount &&
      !isCut(cuts, group.at(-1)?.start ?? start, span.start);
    if (joins) {
      group.push(span);
      end = Math.max(end, span.end);
    } else {
      groups.push([span]);
      start = span.start;
      end = span.end;
    }
  }
  return groups.map((group) => blockOf(table, group));
}

/** The parts of a block when the device refused it: without its gaps if it has any, else its halves; none for a single span. */
export function split(block: Block): readonly Block[] {
  const runs: Span[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const span of block.spans) {
    if (span.start > end) runs.push([span]);
    else runs.at(-1)?.push(span);
    end = Math.max(end, span.end);
  }
  if (runs.length > 1) return runs.map((run) => blockOf(block.table, run));
  if (block.spans.length < 2) return [];
  const middle = block.spans.length >> 1;
  return [blockOf(block.table, block.spans.slice(0, middle)), blockOf(block.table, block.spans.slice(middle))];
}

function isCut(cuts: ReadonlySet<number>, after: number, upTo: number): boolean {
  if (cuts.size === 0) return false;
  for (let address = after + 1; address <= upTo; address++) if (cuts.has(address)) return true;
  return false;
}

function blockOf(table: Table, spans: readonly Span[]): Block {
  const end = spans.reduce((latest, span) => Math.max(latest, span.end), 0);
  return { table, start: spans[0]?.start ?? 0, end, spans };
}
