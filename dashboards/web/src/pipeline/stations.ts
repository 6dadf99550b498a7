import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import type { LinkStatus } from '../feed/link-status.ts';

/** Where a sample is on its way, in the order of the way. */
export const stationNames = ['machines', 'edges', 'log', 'store', 'board'] as const;
export type StationName = (typeof stationNames)[number];

/** Fine, waiting (catches up by itself), in trouble (a person must look), or not known. */
export type StationState = 'fine' | 'waiting' | 'trouble' | 'unknown';

export interface Station {
  readonly name: StationName;
  readonly state: StationState;
  /** Machines that cannot be read, edge agents that are away; what concerns the others is counted in `waiting`. */
  readonly broken: readonly string[];
  /** Samples or messages that wait here; null: not known or nothing can wait. */
  readonly waiting: number | null;
  /** Time of the oldest that waits, or since when the trouble lasts; null: not known. */
  readonly sinceMs: number | null;
}

/** Until then something that waits is on its way. */
const lateMs = 10_000;
/** An agent that restarts is away for some seconds; that is no trouble yet. */
const awayMs = 120_000;
/** More than what is under way in one or two seconds on a large edge. */
const manyRecords = 5000;

/** State, depth and age of each station. `stats` and `edges` are null until they are known. */
export function stationsOf(
  stats: PipelineStats | null,
  edges: readonly EdgeHealth[] | null,
  link: LinkStatus,
  nowMs: number,
): readonly Station[] {
  return [machines(edges), outboxes(edges, nowMs), log(stats, nowMs), store(stats), board(link)];
}

function machines(edges: readonly EdgeHealth[] | null): Station {
  const broken = (edges ?? []).flatMap((edge) =>
    edge.online ? edge.devices.filter(({ connection }) => connection === 'plcUnreachable').map(({ id }) => id) : [],
  );
  return { name: 'machines', state: stateOf(edges, broken.length > 0, false), broken, waiting: null, sinceMs: null };
}

function outboxes(edges: readonly EdgeHealth[] | null, nowMs: number): Station {
  const away = (edges ?? []).filter(({ online }) => !online);
  const counts = (edges ?? []).flatMap(({ outboxRecords }) => (outboxRecords === null ? [] : [outboxRecords]));
  const oldest = (edges ?? []).flatMap((edge) => oldestOf(edge) ?? []);
  const states = (edges ?? []).map((edge) => edgeState(edge, nowMs));
  return {
    name: 'edges',
    state: stateOf(edges, states.includes('trouble'), states.includes('waiting')),
    broken: away.map(({ id }) => id),
    waiting: counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0),
    sinceMs: oldest.length === 0 ? null : Math.min(...oldest),
  };
}

/** One edge agent and what waits on its disk. */
export function edgeState(edge: EdgeHealth, nowMs: number): StationState {
  if (!edge.online) return nowMs - (edge.since ?? edge.lastSeen ?? 0) > awayMs ? 'trouble' : 'waiting';
  const isLate = edge.backlogAtMs !== null && nowMs - edge.backlogAtMs > lateMs;
  return isLate || (edge.outboxRecords ?? 0) > manyRecords ? 'waiting' : 'fine';
}

/** About the time of the oldest sample on an edge's disk: what it sends now, or the last thing that was heard of it. */
export function oldestOf(edge: EdgeHealth): number | null {
  return edge.online ? edge.backlogAtMs : edge.lastSeen;
}

function log(stats: PipelineStats | null, nowMs: number): Station {
  const isFull = stats !== null && stats.logFullSinceMs !== null;
  const isLate = stats !== null && stats.lagMs > lateMs;
  const lateSince = isLate ? nowMs - stats.lagMs : null;
  return {
    name: 'log',
    state: stateOf(stats, isFull, isLate),
    broken: [],
    waiting: stats?.logRecordsBehind ?? null,
    sinceMs: isFull ? stats.logFullSinceMs : lateSince,
  };
}

function store(stats: PipelineStats | null): Station {
  const sinceMs = stats?.storeDownSinceMs ?? null;
  return { name: 'store', state: stateOf(stats, sinceMs !== null, false), broken: [], waiting: null, sinceMs };
}

function board(link: LinkStatus): Station {
  const state = link === 'live' ? 'fine' : link === 'connecting' ? 'unknown' : 'trouble';
  return { name: 'board', state, broken: [], waiting: null, sinceMs: null };
}

function stateOf(known: object | null, isTrouble: boolean, isLate: boolean): StationState {
  if (known === null) return 'unknown';
  if (isTrouble) return 'trouble';
  return isLate ? 'waiting' : 'fine';
}
