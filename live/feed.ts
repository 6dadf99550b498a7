import type { LogRecord, LogSource } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { createDecoder, type Decoded, type Decoder } from '@nhip/core/telemetry/decoder';
import type { EdgeSession } from '@nhip/core/telemetry/edge-session';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { EdgeConnection } from '@nhip/core/wire/live';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import { edgeOf } from './delivery.ts';
import { createEdgeBoard } from './edge-board.ts';
import type { LiveHub } from './hub.ts';
import { followLog } from './log-follower.ts';
import { isConnection, seedHub } from './seed.ts';

/**
 * Fills the hub: first from the history, then from the log.
 *
 * Two readers, each with a decoder of its own: one begins at the end of the log, so that the board is live at once however much the
 * store lags; the other begins at the store's checkpoint, so that nothing is missed. The first one speaks for an edge from its next
 * birth on (no older birth may name its values), the second one for everybody before. When the second has caught up it goes on alone.
 * They commit no cursor: live must not hold back deletion, and a restart begins at the store's checkpoint again.
 */
export interface Feed {
  /** Resolves when the history is in the hub; then follows the log by itself until `stop`. Rejects when the store cannot be read. */
  start(): Promise<void>;
  stop(): Promise<void>;
  edges(): readonly EdgeConnection[];
  /** Whether the newest birth of the edge `<group>/<edge>` declared a metric of the node itself. */
  declares(edge: string, metric: string): boolean;
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

const maxStreams = 10_000;

export function createFeed(deps: FeedDeps): Feed {
  const { hub, store, logBus, clock, log } = deps;
  const past = createReader();
  const present = createReader();
  /** Edges that the present reader speaks for, and the index from which on. */
  const spokenFor = new Map<string, number>();
  const board = createEdgeBoard(hub);
  /** Highest sequence number of live samples, by outbox: what comes below it was sent again. */
  const newestSeq = new Map<string, number>();
  const stopping = new AbortController();
  const catchingUp = new AbortController();
  const counts = { records: 0, samples: 0, isCaughtUp: false, isBroken: false };
  /** Records below are already in what the history told: by time only, or a counter would seem to fall and rise. */
  let liveFrom = 0;
  let presentNext = 0;
  let following: Promise<unknown> = Promise.resolve();

  function isRepeated({ identity, identityCount }: Decoded, batch: SampleBatch): boolean {
    if (identity === undefined) return false;
    const newest = newestSeq.get(identity.stream);
    if (newest !== undefined && identity.seq < newest) return true;
    // Backlog carries lower numbers by nature; only live data moves the mark.
    if (!isHistorical(batch, 0) && (newest !== undefined || newestSeq.size < maxStreams)) {
      newestSeq.set(identity.stream, identity.seq + identityCount);
    }
    return false;
  }

  function applyPast(record: LogRecord): void {
    past.batch.clear();
    const decoded = past.decoder.decode(record, past.batch);
    counts.records += 1;
    counts.samples += past.batch.length;
    apply(past, record, decoded, (edge) => {
      // What the present reader has not read is told by this one alone.
      const from = record.index < presentNext ? spokenFor.get(edge) : undefined;
      return from === undefined ? 'all' : record.index < from ? 'values' : 'nothing';
    });
    if (record.index + 1 >= presentNext) catchingUp.abort();
  }

  function applyPresent(record: LogRecord): void {
    if (catchingUp.signal.aborted) return;
    presentNext = record.index + 1;
    present.batch.clear();
    const decoded = present.decoder.decode(record, present.batch);
    if (!spokenFor.has(decoded.edge) && spokenFor.size < maxStreams && isWhole(decoded)) spokenFor.set(decoded.edge, record.index);
    apply(present, record, decoded, (edge) => (spokenFor.has(edge) ? 'all' : 'nothing'));
  }

  /** `says`: what the record may tell of an edge; its values alone when a newer connection is known already. */
  function apply(
    { batch, decoder, series }: Reader,
    record: LogRecord,
    decoded: Decoded,
    says: (edge: string) => 'all' | 'values' | 'nothing',
  ): void {
    const isOld = record.index < liveFrom || (says(decoded.edge) === 'all' && isRepeated(decoded, batch));
    let newestMs: number | null = null;
    let backlogMs: number | null = null;
    for (let i = 0; i < batch.length; i++) {
      const seriesId = batch.seriesId[i] ?? 0;
      const timeMs = batch.timeMs[i] ?? 0;
      const { machine, metric } = series.at(seriesId);
      const told = says(edgeOf(machine));
      if (told === 'nothing') continue;
      const value = batch.value(i);
      if (metric === metricNames.connection) {
        if (told === 'all' && isConnection(value)) hub.applyConnection(machine, value);
        continue;
      }
      const historical = isOld || told === 'values' || isHistorical(batch, i);
      if (!historical) newestMs = Math.max(timeMs, newestMs ?? timeMs);
      else if (isHistorical(batch, i)) backlogMs = Math.max(timeMs, backlogMs ?? timeMs);
      const unit = decoder.unit(seriesId) ?? undefined;
      hub.applySample(machine, metric, timeMs, value, batch.quality[i] ?? 0, { historical, unit });
    }
    if (decoded.message === undefined || decoded.edge === '' || says(decoded.edge) !== 'all') return;
    const { receivedMs } = decoded.message;
    board.heard({ edge: decoded.edge, receivedMs, isOnline: isOnline(decoder, decoded.edge), newestMs, backlogMs });
  }

  /** Sessions as whoever speaks for the edge knows them. */
  function sessions(): Iterable<EdgeSession> {
    if (catchingUp.signal.aborted) return past.decoder.sessions();
    const isSpokenFor = (session: EdgeSession): boolean => spokenFor.has(edgeId(session));
    return [
      ...[...past.decoder.sessions()].filter((session) => !isSpokenFor(session)),
      ...[...present.decoder.sessions()].filter(isSpokenFor),
    ];
  }

  function onPastRead(next: number): void {
    counts.isCaughtUp ||= next >= liveFrom;
  }

  return {
    async start() {
      const nowMs = clock.now();
      const checkpoint = deps.checkpoint();
      liveFrom = logBus.stats().nextIndex;
      hub.advance(nowMs);
      if (checkpoint !== undefined) past.decoder.restore(checkpoint.decoder);
      await seedHub(hub, store, nowMs, (machine, metric) => past.decoder.unit(past.series.id(machine, metric)));
      // A checkpoint beyond the end belongs to another log, whose folder was lost: this one is read from its start.
      const stored = checkpoint?.nextIndex ?? 0;
      const next = stored > liveFrom ? 0 : stored;
      presentNext = liveFrom;
      if (next >= liveFrom) catchingUp.abort();
      const onBroken = (isBroken: boolean): void => {
        counts.isBroken = isBroken;
      };
      const readers = [
        followLog({ logBus, clock, log, apply: applyPast, onBroken, onRead: onPastRead }, next, stopping.signal),
        followLog(
          { logBus, clock, log, apply: applyPresent, onBroken: () => undefined, onRead: () => undefined },
          liveFrom,
          AbortSignal.any([stopping.signal, catchingUp.signal]),
        ),
      ];
      following = Promise.all(readers);
    },
    async stop() {
      stopping.abort();
      await following;
    },
    edges: () => board.rows(sessions()),
    declares(edge, metric) {
      for (const session of sessions()) if (edgeId(session) === edge) return session.byName.get('')?.has(metric) === true;
      return false;
    },
    stats: () => ({ ...counts }),
  };
}

interface Reader {
  readonly series: SeriesTable;
  readonly decoder: Decoder;
  readonly batch: SampleBatch;
}

function createReader(): Reader {
  const series = new SeriesTable();
  return { series, decoder: createDecoder(series), batch: new SampleBatch(series) };
}

/** Needs nothing that was told before: a birth, or JSON. */
function isWhole({ message }: Decoded): boolean {
  return message !== undefined && (message.topic.startsWith('json/') || message.topic.split('/')[2] === 'NBIRTH');
}

function isHistorical(batch: SampleBatch, i: number): boolean {
  return batch.length > i && batch.historical[i] === 1;
}

function isOnline(decoder: Decoder, edge: string): boolean {
  for (const session of decoder.sessions()) if (edgeId(session) === edge) return session.isOnline;
  // Publishers without a session (JSON lane) are there when they speak.
  return true;
}

function edgeId({ group, edge }: EdgeSession): string {
  return `${group}/${edge}`;
}
