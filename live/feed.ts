import type { LogRecord, LogSource } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { createDecoder, type Decoded } from '@nhip/core/telemetry/decoder';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { EdgeConnection } from '@nhip/core/wire/live';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import { createEdgeBoard } from './edge-board.ts';
import type { LiveHub } from './hub.ts';
import { isConnection, seedHub } from './seed.ts';

/**
 * Fills the hub: first from the history, then from the log, starting at the store's checkpoint so that nothing is missed.
 * It commits no cursor: live must not hold back deletion, and a restart begins at the store's checkpoint again.
 */
export interface Feed {
  /** Resolves when the history is in the hub; then follows the log by itself until `stop`. Rejects when the store cannot be read. */
  start(): Promise<void>;
  stop(): Promise<void>;
  edges(): readonly EdgeConnection[];
  stats(): FeedStats;
}

export interface FeedStats {
  readonly records: number;
  readonly samples: number;
  /** Whether everything that was in the log at the start was read. */
  readonly isCaughtUp: boolean;
  /** The last read of the log failed. */
  readonly isBroken: boolean;
}

export interface FeedDeps {
  readonly hub: LiveHub;
  readonly store: HistoryStore;
  /** Asked at the start: where the log goes on after what the store has, and the births up to there. */
  checkpoint(): Checkpoint | undefined;
  readonly logBus: LogSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Small enough that decoding one read never delays a tick noticeably. */
const readOptions = { maxRecords: 500, maxBytes: 256 * 1024, waitMs: 1000 };
const retryMs = 1000;
const maxStreams = 10_000;

export function createFeed(deps: FeedDeps): Feed {
  const { hub, store, logBus, clock, log } = deps;
  const series = new SeriesTable();
  const decoder = createDecoder(series);
  const batch = new SampleBatch(series);
  const board = createEdgeBoard(hub);
  /** Highest sequence number of live samples, by outbox: what comes below it was sent again. */
  const newestSeq = new Map<string, number>();
  const stopping = new AbortController();
  const counts = { records: 0, samples: 0, isCaughtUp: false, isBroken: false };
  /** Records below are already in what the history told: by time only, or a counter would seem to fall and rise. */
  let liveFrom = 0;
  let following: Promise<void> = Promise.resolve();

  function isRepeated({ identity, identityCount }: Decoded): boolean {
    if (identity === undefined) return false;
    const newest = newestSeq.get(identity.stream);
    if (newest !== undefined && identity.seq < newest) return true;
    // Backlog carries lower numbers by nature; only live data moves the mark.
    if (!isHistorical(0) && (newest !== undefined || newestSeq.size < maxStreams)) {
      newestSeq.set(identity.stream, identity.seq + identityCount);
    }
    return false;
  }

  function isHistorical(i: number): boolean {
    return batch.length > i && batch.historical[i] === 1;
  }

  function apply(record: LogRecord): void {
    batch.clear();
    const decoded = decoder.decode(record, batch);
    const isOld = record.index < liveFrom || isRepeated(decoded);
    let newestMs: number | null = null;
    let backlogMs: number | null = null;
    for (let i = 0; i < batch.length; i++) {
      const seriesId = batch.seriesId[i] ?? 0;
      const timeMs = batch.timeMs[i] ?? 0;
      const { machine, metric } = series.at(seriesId);
      const value = batch.value(i);
      if (metric === metricNames.connection) {
        if (isConnection(value)) hub.applyConnection(machine, value);
        continue;
      }
      const historical = isOld || isHistorical(i);
      if (!historical) newestMs = Math.max(timeMs, newestMs ?? timeMs);
      else if (isHistorical(i)) backlogMs = Math.max(timeMs, backlogMs ?? timeMs);
      const unit = decoder.unit(seriesId) ?? undefined;
      hub.applySample(machine, metric, timeMs, value, batch.quality[i] ?? 0, { historical, unit });
    }
    counts.records += 1;
    counts.samples += batch.length;
    if (decoded.message === undefined || decoded.edge === '') return;
    const { receivedMs } = decoded.message;
    board.heard({ edge: decoded.edge, receivedMs, isOnline: isOnline(decoded.edge), newestMs, backlogMs });
  }

  function isOnline(edge: string): boolean {
    for (const session of decoder.sessions()) if (`${session.group}/${session.edge}` === edge) return session.isOnline;
    // Publishers without a session (JSON lane) are there when they speak.
    return true;
  }

  async function follow(from: number): Promise<void> {
    let next = from;
    while (!stopping.signal.aborted) {
      try {
        const records = await logBus.read(next, { ...readOptions, signal: stopping.signal });
        for (const record of records) {
          // First the place, then the record: one that cannot be applied must not be read for ever.
          next = record.index + 1;
          apply(record);
        }
        if (counts.isBroken) log.info('The live feed reads the log again');
        counts.isBroken = false;
        counts.isCaughtUp ||= next >= liveFrom || records.length === 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (!counts.isBroken) log.error({ err: error, index: next }, 'The live feed cannot read the log; it keeps trying');
        counts.isBroken = true;
        await clock.sleep(retryMs, stopping.signal).catch(() => undefined);
      }
    }
  }

  return {
    async start() {
      const nowMs = clock.now();
      const checkpoint = deps.checkpoint();
      liveFrom = logBus.stats().nextIndex;
      hub.advance(nowMs);
      if (checkpoint !== undefined) decoder.restore(checkpoint.decoder);
      await seedHub(hub, store, nowMs, (machine, metric) => decoder.unit(series.id(machine, metric)));
      // A checkpoint beyond the end belongs to another log, whose folder was lost: this one is read from its start.
      const next = checkpoint?.nextIndex ?? 0;
      following = follow(next > liveFrom ? 0 : next);
    },
    async stop() {
      stopping.abort();
      await following;
    },
    edges: () => board.rows(decoder.sessions()),
    stats: () => ({ ...counts }),
  };
}
