import type { LogRecord } from '../log/log-bus.ts';
import type { OutboxIdentity } from '../wire/outbox-identity.ts';
import { parseTopic, type SparkplugTopic } from '../wire/topic.ts';
import { WireError } from '../wire/wire-error.ts';
import { createSession, type EdgeSession, restoreSession, type StoredSession, storeSession } from './edge-session.ts';
import { decodeJson } from './json-lane.ts';
import { brokerStartedTopic, decodeLogMessage, type LogMessage } from './log-record.ts';
import { addReject, type DecoderLimits, type Outcome, type Reject, type RejectReason } from './outcome.ts';
import type { SampleBatch, SeriesTable } from './sample-batch.ts';
import { endSession, handleBirth, handleDeath } from './session-events.ts';
import { decodeData } from './sparkplug-data.ts';

/** What one log record turned out to be. The samples it gave were pushed to the batch. */
export interface Decoded {
  readonly message: LogMessage | undefined;
  /** `<group>/<edge>`; '' when the topic could not be read. */
  readonly edge: string;
  /** Outbox identity and how many sequence numbers the message takes, when it carries one. */
  readonly identity: OutboxIdentity | undefined;
  readonly identityCount: number;
  readonly rejects: readonly Reject[];
  /** True when only a new birth can help: an unknown alias, a gap in seq, DATA before a birth. */
  readonly needsRebirth: boolean;
}

export interface DecoderOptions {
  /** Samples further in the future than this, by the server's clock at arrival, are rejected. Default 5 minutes. */
  readonly maxFutureMs?: number;
  /** Samples older than this at arrival are rejected. Default 2 years. */
  readonly maxAgeMs?: number;
  /** Series (device × metric) that one edge may bring up; values of further ones are rejected. Default 20,000. */
  readonly maxSeriesPerEdge?: number;
}

/**
 * Turns log records into samples: births, aliases, data types, JSON mapping, session state. One per reader of the log.
 * Never throws on content: what cannot be used comes back as rejects.
 */
export interface Decoder {
  decode(record: LogRecord, batch: SampleBatch): Decoded;
  /** State to carry on from; the same object as long as no birth or death changed it. */
  snapshot(): Uint8Array;
  /** Takes a snapshot back. False when another version of the program made it: then the births must be asked for again. */
  restore(state: Uint8Array): boolean;
  sessions(): Iterable<EdgeSession>;
  /** Unit of a series as its birth declared it. */
  unit(seriesId: number): string | null;
}

/** Grows when the shape of a stored session changes. */
const snapshotVersion = 2;

interface StoredDecoder {
  readonly version: number;
  readonly sessions: readonly StoredSession[];
}

export function createDecoder(series: SeriesTable, options: DecoderOptions = {}): Decoder {
  const limits: DecoderLimits = {
    maxFutureMs: options.maxFutureMs ?? 300_000,
    maxAgeMs: options.maxAgeMs ?? 2 * 366 * 86_400_000,
    maxSeriesPerEdge: options.maxSeriesPerEdge ?? 20_000,
  };
  let sessions = new Map<string, EdgeSession>();
  let stored: Uint8Array | undefined;
  let units: Map<number, string> | undefined;

  function sessionOf(topic: SparkplugTopic): EdgeSession {
    const key = `${topic.group}/${topic.edge}`;
    let session = sessions.get(key);
    if (session === undefined) {
      session = createSession(topic.group, topic.edge);
      sessions.set(key, session);
    }
    return session;
  }

  function changed(): void {
    stored = undefined;
    units = undefined;
  }

  function decodeSparkplug(topic: SparkplugTopic, message: LogMessage, index: number, batch: SampleBatch, outcome: Outcome): void {
    const session = sessionOf(topic);
    switch (topic.type) {
      case 'NDATA':
      case 'DDATA':
        decodeData(session, topic.device, message, index, batch, limits, outcome);
        return;
      case 'NBIRTH':
      case 'DBIRTH':
        changed();
        handleBirth(session, topic.device, message, index, batch, limits, outcome);
        return;
      case 'NDEATH':
      case 'DDEATH':
        if (handleDeath(session, topic.device, message, index, batch, outcome)) changed();
        return;
      default:
        addReject(outcome, 'unknownTopic', `${topic.type} is a command, not telemetry`);
    }
  }

  return {
    decode(record, batch) {
      const outcome: Outcome = { identity: undefined, identityCount: 0, needsRebirth: false, rejects: [] };
      let message: LogMessage | undefined;
      let edge = '';
      const mark = batch.mark();
      try {
        message = decodeLogMessage(record.payload);
        if (message.topic === brokerStartedTopic) {
          for (const session of sessions.values()) endSession(session, message.receivedMs, record.index, batch);
          changed();
          return { message, edge, ...outcome };
        }
        const topic = parseTopic(message.topic);
        edge = `${topic.group}/${topic.edge}`;
        if (topic.lane === 'json') decodeJson(topic, message, record.index, batch, limits, outcome);
        else decodeSparkplug(topic, message, record.index, batch, outcome);
      } catch (error) {
        batch.rewind(mark);
        outcome.identity = undefined;
        outcome.identityCount = 0;
        outcome.rejects.length = 0;
        addReject(outcome, rejectReason(error), error instanceof Error ? error.message : String(error));
      }
      return { message, edge, ...outcome };
    },

    snapshot() {
      stored ??= new TextEncoder().encode(
        JSON.stringify({ version: snapshotVersion, sessions: [...sessions.values()].map(storeSession) } satisfies StoredDecoder),
      );
      return stored;
    },

    restore(state) {
      const found = JSON.parse(new TextDecoder().decode(state)) as Partial<StoredDecoder>;
      const isKnown = found.version === snapshotVersion;
      sessions = new Map(
        (isKnown ? (found.sessions ?? []) : []).map((item) => [`${item.group}/${item.edge}`, restoreSession(item, series)]),
      );
      units = undefined;
      stored = isKnown ? state : undefined;
      return isKnown;
    },

    sessions: () => sessions.values(),

    unit(seriesId) {
      units ??= collectUnits(sessions.values());
      return units.get(seriesId) ?? null;
    },
  };
}

/** Anything but a WireError is a fault of this program; one message must still not stop the reader of the log. */
function rejectReason(error: unknown): RejectReason {
  if (!(error instanceof WireError)) return 'decoderFault';
  return error.code === 'wire.topic' ? 'unknownTopic' : 'malformedPayload';
}

function collectUnits(sessions: Iterable<EdgeSession>): Map<number, string> {
  const units = new Map<number, string>();
  for (const session of sessions) {
    for (const entries of session.byName.values()) {
      for (const entry of entries.values()) if (entry.unit !== null) units.set(entry.seriesId, entry.unit);
    }
  }
  return units;
}
