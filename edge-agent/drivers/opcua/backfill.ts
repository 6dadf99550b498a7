import { reasonOf } from '@nhip/core/process/errors';
import { AccessLevelFlag, AttributeIds } from 'node-opcua-client';
import { createProgressKeys, type Gap, type HistoryProgress, type NodeProgress, progressKey } from './history-progress.ts';
import { createHistoryReader, type HistoryPage } from './history-reader.ts';
import type { Item } from './items.ts';
import { type CallLimits, inChunks } from './limits.ts';
import type { Link } from './link.ts';

/**
 * After an outage, reads from the server what its nodes were meanwhile.
 *
 * - A gap of a node runs from the newest value that was delivered to the first live one of a new session, both excluded: nothing is
 *   delivered twice. It is remembered until it is filled, through lost connections and restarts of the agent.
 * - Gaps are filled in the background, oldest first, at a bounded rate. Values come in the order of their source times, with their
 *   quality, marked as historical.
 * - What the server refuses for good, and what lies beyond the limits of the config, is given up and logged. What it cannot give now
 *   waits for the next session.
 */
export interface Backfill {
  /** A live value of an item with history was emitted. */
  live(item: Item, timestampMs: number): void;
  /** The session is set up: finds out which nodes have history, then fills gaps until the end of the driver. */
  start(): void;
}

/** A node as one item follows it: two items of a node are two states. */
interface NodeState {
  readonly item: Item;
  readonly key: string;
  lastMs: number | undefined;
  gaps: Gap[];
  isLive: boolean;
  hasHistory: boolean | undefined;
  /** Its history could not be had in this session: its gaps are for the next one. */
  isForLater: boolean;
  /** Values read in this session. */
  count: number;
}

/** More outages than this before one could be filled are taken as one. */
const maxGaps = 4;
/** A source time further back than this is a clock that was set back, not a late value. */
const clockSetBackMs = 60_000;
/** Calls in a row that bring nothing: a server is not asked without end and without a pause. */
const maxAttempts = 20;

export function createBackfill(link: Link, items: readonly Item[], limits: CallLimits, progress: HistoryProgress): Backfill {
  const { session, config, deps, over, emit } = link;
  const { log, clock } = deps;
  const states = new Map<Item, NodeState>();
  const keys = new Set<string>();
  const nextKey = createProgressKeys();
  for (const item of items) {
    if (item.history === false) continue;
    const key = nextKey(item.deviceId, item.node);
    keys.add(key);
    const known = progress.get(key);
    states.set(item, {
      item,
      key,
      lastMs: known?.lastMs,
      gaps: [...(known?.gaps ?? [])],
      isLive: false,
      hasHistory: item.history === true ? true : undefined,
      isForLater: false,
      count: 0,
    });
  }
  const absent = absentNodes(config, keys, progress);
  // Also of nodes of which nobody knows yet whether they have history: a session that ends before the server has said so must not
  // forget where the one before it was. Nor must one in which a node is not there, as when a machine behind the server is off.
  progress.keep(function* () {
    yield* absent;
    for (const { key, lastMs, gaps, hasHistory } of states.values()) {
      if (hasHistory !== false && lastMs !== undefined) yield [key, { lastMs, gaps }];
    }
  });
  let isReady = false;
  let isFilling = false;
  let isGivenUp = false;
  let total = 0;

  const giveUp = (state: NodeState): void => {
    state.gaps = [];
    progress.changed();
  };

  /** Emits a page; what is left of its gap, undefined when that is nothing. */
  const take = (state: NodeState, gap: Gap, page: HistoryPage): Gap | undefined => {
    const { item } = state;
    const { maxValuesPerNode, maxValues } = config.history;
    const room = Math.max(0, Math.min(maxValuesPerNode - state.count, maxValues - total));
    const values = page.values.slice(0, room);
    if (values.length > 0)
      emit(
        item.deviceId,
        values.flatMap((value) => item.metrics.map((metric) => ({ ...metric.read(value), isHistorical: true }))),
      );
    state.count += values.length;
    total += values.length;
    progress.changed();
    if (values.length < page.values.length || (values.length === room && !page.isLast)) {
      log.warn(
        { device: item.deviceId, node: item.node, values: state.count, total },
        'The server kept more values than the limits of the history allow; the rest is left out.',
      );
      giveUp(state);
      return undefined;
    }
    const rest = page.isLast ? undefined : { fromMs: page.reachedMs, toMs: gap.toMs };
    const index = state.gaps.indexOf(gap);
    if (index >= 0) state.gaps.splice(index, 1, ...(rest === undefined ? [] : [rest]));
    return rest;
  };

  const reader = createHistoryReader(link, limits.historyRead);

  /** The oldest gap of every node that has one to be filled in this session. */
  const openGaps = (): { readonly state: NodeState; readonly gap: Gap }[] => {
    const open = [];
    for (const state of states.values()) {
      const [gap] = state.gaps;
      if (state.isLive && state.hasHistory === true && !state.isForLater && gap !== undefined) open.push({ state, gap });
    }
    return open.sort((a, b) => a.gap.fromMs - b.gap.fromMs);
  };

  const fill = async (): Promise<void> => {
    const nowMs = clock.now();
    for (const { state } of openGaps()) state.gaps = clipped(state.gaps, nowMs - config.history.maxAgeMs);
    const startedMs = clock.monotonic();
    const before = total;
    let nodes = 0;
    for (let attempts = 0; ; attempts++) {
      const batch = nextBatch(openGaps(), clock.now()).slice(0, reader.nodesPerCall());
      if (batch.length === 0) break;
      if (attempts === maxAttempts) {
        log.warn(
          { node: batch[0]?.state.item.node },
          'The server does not get on with its history; what is missing is read in the next session.',
        );
        isGivenUp = true;
        break;
      }
      const current = batch.map(({ gap }) => gap);
      const outcome = await reader.read(
        batch.map(({ state, gap }) => ({ nodeId: state.item.nodeId, ...gap })),
        {
          page: (i, page) => {
            const [state, gap] = [batch[i]?.state, current[i]];
            if (state === undefined || gap === undefined) return false;
            if (page.isLast || page.values.length > 0) attempts = 0;
            if (page.isLast) nodes++;
            const rest = take(state, gap, page);
            current[i] = rest ?? gap;
            return rest !== undefined;
          },
          refused: (i) => {
            const state = batch[i]?.state;
            if (state === undefined) return;
            state.hasHistory = false;
            giveUp(state);
          },
          later: (i) => {
            const state = batch[i]?.state;
            if (state !== undefined) state.isForLater = true;
          },
          called: (count) => clock.sleep(Math.ceil((count / config.history.maxValuesPerS) * 1_000), over),
        },
      );
      over.throwIfAborted();
      isGivenUp ||= outcome === 'later';
      if (isGivenUp) break;
    }
    if (total > before) {
      const tookMs = Math.round(clock.monotonic() - startedMs);
      log.info({ nodes, values: total - before, tookMs }, 'What the server kept while it was not reached is read.');
    }
  };

  const fillSoon = (): void => {
    if (!isReady || isFilling || isGivenUp || over.aborted) return;
    isFilling = true;
    fill()
      .catch((error: unknown) => {
        if (!over.aborted) log.error({ reason: reasonOf(error) }, 'The history cannot be read.');
        isGivenUp = true;
      })
      .finally(() => {
        isFilling = false;
        if (openGaps().length > 0) fillSoon();
      });
  };

  /** Nodes that say by themselves that they have no history are forgotten: most servers keep none. Those that say nothing, being away, are not. */
  const findHistory = async (): Promise<void> => {
    const unknown = [...states.values()].filter(({ hasHistory }) => hasHistory === undefined);
    await inChunks(unknown, limits.read, async (chunk) => {
      const answers = await session.read(chunk.map(({ item }) => ({ nodeId: item.nodeId, attributeId: AttributeIds.AccessLevel })));
      over.throwIfAborted();
      chunk.forEach((state, i) => {
        const level: unknown = answers[i]?.value.value;
        if (typeof level !== 'number') return;
        state.hasHistory = (level & AccessLevelFlag.HistoryRead) !== 0;
        if (!state.hasHistory) states.delete(state.item);
      });
    });
  };

  return {
    live: (item, timestampMs) => {
      const state = states.get(item);
      if (state === undefined) return;
      const { lastMs } = state;
      if (!state.isLive) {
        state.isLive = true;
        if (lastMs !== undefined && timestampMs > lastMs + 1) state.gaps.push({ fromMs: lastMs, toMs: timestampMs });
        while (state.gaps.length > maxGaps) joinLastGaps(state.gaps);
        if (state.gaps.length > 0) fillSoon();
      }
      if (lastMs === undefined || timestampMs > lastMs || timestampMs < lastMs - clockSetBackMs) {
        state.lastMs = timestampMs;
        if (state.hasHistory !== false) progress.changed();
      }
    },
    start: () => {
      findHistory()
        .then(() => {
          isReady = true;
          if (states.size > 0) progress.changed();
          fillSoon();
        })
        .catch(() => {
          if (!over.aborted) log.warn('The server does not tell which nodes have history; what it kept is not read in this session.');
        });
    },
  };
}

/** What is known of the nodes of the config with history that this session has not found. */
function absentNodes(
  { devices }: Link['config'],
  found: ReadonlySet<string>,
  progress: HistoryProgress,
): ReadonlyMap<string, NodeProgress> {
  const absent = new Map<string, NodeProgress>();
  const nextKey = createProgressKeys();
  for (const { id, tags } of devices) {
    for (const { node, history } of tags) {
      if (history === false || found.has(progressKey(id, node))) continue;
      const key = nextKey(id, node);
      const known = progress.get(key);
      if (known !== undefined) absent.set(key, known);
    }
  }
  return absent;
}

function clipped(gaps: readonly Gap[], oldestMs: number): Gap[] {
  return gaps.flatMap(({ fromMs, toMs }) => (toMs <= oldestMs ? [] : [{ fromMs: Math.max(fromMs, oldestMs), toMs }]));
}

function joinLastGaps(gaps: Gap[]): void {
  const last = gaps.pop();
  const before = gaps.pop();
  if (last !== undefined && before !== undefined) gaps.push({ fromMs: before.fromMs, toMs: last.toMs });
}

/**
 * The gaps that go into one request, which has one time range for all its nodes: those that begin about as long ago as the oldest, so
 * that not much is read in vain for the others.
 */
function nextBatch<T extends { readonly gap: Gap }>(open: readonly T[], nowMs: number): readonly T[] {
  const [oldest] = open;
  if (oldest === undefined) return [];
  const ageMs = Math.max(60_000, nowMs - oldest.gap.fromMs);
  return open.filter(({ gap }) => nowMs - gap.fromMs >= ageMs / 2 || ageMs === 60_000);
}
