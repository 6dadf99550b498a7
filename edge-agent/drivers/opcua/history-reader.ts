import {
  coerceNodeId,
  type DataValue,
  HistoryData,
  HistoryReadRequest,
  type HistoryReadResult,
  ReadRawModifiedDetails,
  TimestampsToReturn,
} from 'node-opcua-client';
import type { Gap } from './history-progress.ts';
import { faultOf } from './limits.ts';
import type { Link } from './link.ts';

/** Reads raw history (OPC UA Part 11 §6.4.3) of several nodes at a time, page by page. */

export interface HistoryQuery extends Gap {
  /** Of this session. */
  readonly nodeId: string;
}

export interface HistoryPage {
  /** Strictly within the gap, in the order of their source times. */
  readonly values: readonly DataValue[];
  /** There is no more in the gap. */
  readonly isLast: boolean;
  /** Everything up to here was read. */
  readonly reachedMs: number;
}

export interface HistoryReader {
  /** How many queries go into one call; shrinks when the server finds a call too large. */
  nodesPerCall(): number;
  /**
   * Reads all pages of the queries. What was not read to the end may be asked for again, from where its last page ended.
   * Resolves with `later` when the server cannot answer at all now. Rejects when the connection is lost.
   */
  read(queries: readonly HistoryQuery[], take: HistoryTaker): Promise<'read' | 'later'>;
}

export interface HistoryTaker {
  /** A page of the query with this index. False: no more of it. */
  page(index: number, page: HistoryPage): boolean;
  /** The server has no history of the node for us. */
  refused(index: number): void;
  /** The server cannot get at the history of the node now, as when a machine behind it is off. */
  later(index: number): void;
  /** After each call, with how many values it brought: the place to wait. */
  called(count: number): Promise<void>;
}

const valuesPerPage = 1_000;
/** More nodes in one call make large answers. */
const mostNodes = 50;
/** A server may answer with nothing but a continuation point while it works; not for ever. */
const maxEmptyPages = 100;
const saidForGood = 'The server does not give its history; what was missed stays missing.';
const saidForNow = 'The server cannot give its history now; what was missed is read in the next session.';
const refusedForGood: ReadonlySet<string> = new Set([
  'BadHistoryOperationUnsupported',
  'BadHistoryOperationInvalid',
  'BadServiceUnsupported',
  'BadNotSupported',
  'BadNotImplemented',
  'BadUserAccessDenied',
  'BadNotReadable',
  'BadNodeIdUnknown',
  'BadNodeIdInvalid',
]);
const tooManyNodes: ReadonlySet<string> = new Set([
  'BadNoContinuationPoints',
  'BadTooManyOperations',
  'BadResponseTooLarge',
  'BadRequestTooLarge',
  'BadEncodingLimitsExceeded',
]);

interface Open {
  readonly query: HistoryQuery;
  readonly index: number;
  point: Buffer | undefined;
  reachedMs: number;
  emptyPages: number;
}

export function createHistoryReader({ session, deps, over }: Link, nodesPerCall: number): HistoryReader {
  let limit = Math.max(1, Math.min(mostNodes, nodesPerCall));
  const told = new Set<string>();

  const tell = (reason: string, sentence: string): void => {
    if (!told.has(sentence)) deps.log.warn({ reason }, sentence);
    told.add(sentence);
  };

  const call = async (open: readonly Open[], range: Range): Promise<readonly HistoryReadResult[] | string> => {
    try {
      const { results } = await session.historyRead(request(open, range, false));
      over.throwIfAborted();
      return results ?? [];
    } catch (error) {
      const fault = faultOf(error);
      if (over.aborted || fault === undefined) throw error;
      return fault;
    }
  };

  /** What is to be done with a query whose call, or whose part of it, was refused. */
  const onRefusal = (status: string, of: readonly Open[], take: HistoryTaker): 'read' | 'later' => {
    if (status === 'BadContinuationPointInvalid') return 'read';
    if (tooManyNodes.has(status) && limit > 1) {
      limit = Math.ceil(Math.min(limit, of.length) / 2);
      return 'read';
    }
    const isForGood = refusedForGood.has(status) || tooManyNodes.has(status);
    tell(status, isForGood ? saidForGood : saidForNow);
    if (!isForGood) return 'later';
    for (const { index } of of) take.refused(index);
    return 'read';
  };

  return {
    nodesPerCall: () => limit,

    read: async (queries, take) => {
      const range: Range = {
        startTime: new Date(Math.min(...queries.map(({ fromMs }) => fromMs))),
        // Values at the very end are left out below, but a server may round.
        endTime: new Date(Math.max(...queries.map(({ toMs }) => toMs)) + 1),
      };
      let open: Open[] = queries.map((query, index) => ({ query, index, point: undefined, reachedMs: query.fromMs, emptyPages: 0 }));
      while (open.length > 0) {
        const results = await call(open, range);
        if (typeof results === 'string') return onRefusal(results, open, take);
        let count = 0;
        const next: Open[] = [];
        const released: Open[] = [];
        const refused = new Map<string, Open[]>();
        open.forEach((each, i) => {
          const result = results[i];
          const status = result?.statusCode.name ?? 'no result';
          if (result === undefined || (result.statusCode.isNotGood() && status !== 'BadNoData')) {
            refused.set(status, [...(refused.get(status) ?? []), each]);
            return;
          }
          const page = pageOf(result, each);
          count += page.values.length;
          const wantsMore = take.page(each.index, page);
          if (each.point === undefined) return;
          (wantsMore && !page.isLast && each.emptyPages < maxEmptyPages ? next : released).push(each);
        });
        if (released.length > 0) await session.historyRead(request(released, range, true)).catch(() => undefined);
        for (const [status, of] of refused) {
          if (onRefusal(status, of, take) === 'later') for (const { index } of of) take.later(index);
        }
        await take.called(count);
        open = next;
      }
      return 'read';
    },
  };
}

interface Range {
  readonly startTime: Date;
  readonly endTime: Date;
}

/** The page of a result; moves the query on. */
function pageOf({ historyData, continuationPoint }: HistoryReadResult, open: Open): HistoryPage {
  const { query } = open;
  const all = historyData instanceof HistoryData ? (historyData.dataValues ?? []) : [];
  open.point =
    continuationPoint !== null && continuationPoint !== undefined && continuationPoint.length > 0 ? continuationPoint : undefined;
  open.emptyPages = all.length === 0 ? open.emptyPages + 1 : 0;
  const before = open.reachedMs;
  const values: DataValue[] = [];
  let isPast = false;
  // Servers with several archives have been seen to append one to the other.
  for (const value of all.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const ms = timeOf(value);
    isPast ||= ms >= query.toMs;
    // Bounds, overlaps of pages, and what is in the range only for another node of the call.
    if (ms <= query.fromMs || ms < open.reachedMs || ms >= query.toMs || value.statusCode.name === 'BadBoundNotFound') continue;
    open.reachedMs = ms;
    values.push(value);
  }
  // A full page without a continuation point is that of a server which does not make any: it is asked again from where the page ends.
  const hasMore = open.point !== undefined || (all.length >= valuesPerPage && open.reachedMs > before);
  return { values, isLast: isPast || !hasMore, reachedMs: open.reachedMs };
}

function timeOf({ sourceTimestamp, serverTimestamp }: DataValue): number {
  return sourceTimestamp?.getTime() ?? serverTimestamp?.getTime() ?? 0;
}

function request(open: readonly Open[], { startTime, endTime }: Range, isReleased: boolean): HistoryReadRequest {
  return new HistoryReadRequest({
    historyReadDetails: new ReadRawModifiedDetails({
      isReadModified: false,
      startTime,
      endTime,
      numValuesPerNode: valuesPerPage,
      returnBounds: false,
    }),
    timestampsToReturn: TimestampsToReturn.Both,
    releaseContinuationPoints: isReleased,
    nodesToRead: open.map(({ query, point }) => ({
      nodeId: coerceNodeId(query.nodeId),
      ...(point === undefined ? {} : { continuationPoint: point }),
    })),
  });
}
