import type { LogRecord } from '../log/log-bus.ts';
import type { LossReport } from '../wire/loss.ts';
import type { OutboxIdentity } from '../wire/outbox-identity.ts';
import { machineId } from '../wire/sample.ts';
import { type JsonTopic, parseTopic, type SparkplugTopic } from '../wire/topic.ts';
import { WireError } from '../wire/wire-error.ts';
import { countBroken } from './broken-data.ts';
import { replayTopic } from './dead-letter.ts';
import { createSession, type EdgeSession, nodeDevice, restoreSession, type StoredSession, storeSession } from './edge-session.ts';
import { decodeJson } from './json-lane.ts';
import { brokerStartedTopic, decodeLogMessage, type LogMessage } from './log-record.ts';
import { createOutcome, type DecoderLimits, type Outcome, resetOutcome } from './outcome.ts';
import type { Reject, RejectReason } from './rejects.ts';
import { decodeReplayed, type Replayed } from './replay.ts';
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
  /** Tick of the sample at place 0 of the message: `placeOf` finds the others. */
  readonly firstTick: number;
  /** What the node says of its outbox: all below was acknowledged; what it gave up. */
  readonly released: OutboxIdentity | undefined;
  readonly losses: readonly LossReport[];
  readonly rejects: readonly Reject[];
  /** True when only a new birth can help: an unknown alias, a gap in seq, DATA before a birth. */
  readonly needsRebirth: boolean;
  /** When the record is a dead letter that comes back. */
  readonly replayed: Replayed | undefined;
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
  /** Records were missed, and births perhaps with them: no alias is to be trusted before the next birth, or values would get a wrong name. */
  forgetAliases(): void;
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
        outcome.rejects.add('unknownTopic', `${topic.type} is a command, not telemetry`);
    }
  }

  /** Nothing of the message is used; its samples and their numbers are counted as far as its frame tells them. */
  function rejectWhole(
    outcome: Outcome,
    error: unknown,
    topic: SparkplugTopic | JsonTopic | undefined,
    message: LogMessage | undefined,
  ): void {
    const reason = rejectReason(error);
    const detail = error instanceof Error ? error.message : String(error);
    if (topic === undefined || message === undefined || (topic.lane === 'sparkplug' && !topic.type.endsWith('DATA'))) {
      outcome.rejects.add(reason, detail);
      return;
    }
    const machine = machineId(topic.group, topic.edge, topic.device === '' ? nodeDevice : topic.device);
    const counted =
      topic.lane === 'json' ? undefined : countBroken(sessions.get(`${topic.group}/${topic.edge}`), topic.device, message.payload);
    outcome.identity = counted?.identity;
    outcome.identityCount = counted?.identity === undefined ? 0 : counted.identityCount;
    const samples = counted?.identityCount ?? 1;
    outcome.rejects.addWhole(reason, detail, machine, samples, message.receivedMs, counted === undefined ? anyPlace : samples);
  }

  return {
    decode(record, batch) {
      const outcome = createOutcome();
      let message: LogMessage | undefined;
      let topic: SparkplugTopic | JsonTopic | undefined;
      let replayed: Replayed | undefined;
      let edge = '';
      const mark = batch.mark();
      try {
        message = decodeLogMessage(record.payload);
        if (message.topic === brokerStartedTopic) {
          for (const session of sessions.values()) endSession(session, message.receivedMs, record.index, batch);
          changed();
        } else if (message.topic === replayTopic) replayed = decodeReplayed(message.payload, sessions, batch, limits);
        else {
          topic = parseTopic(message.topic);
          edge = `${topic.group}/${topic.edge}`;
          if (topic.lane === 'json') decodeJson(topic, message, record.index, batch, limits, outcome);
          else decodeSparkplug(topic, message, record.index, batch, outcome);
        }
      } catch (error) {
        batch.rewind(mark);
        resetOutcome(outcome);
        // A letter that still cannot be read stays where it is.
        if (message?.topic !== replayTopic) rejectWhole(outcome, error, topic, message);
      }
      return { message, edge, replayed, ...outcome, rejects: outcome.rejects.list() };
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

    forgetAliases() {
      for (const session of sessions.values()) session.byAlias.clear();
      changed();
    },

    sessions: () => sessions.values(),

    unit(seriesId) {
      units ??= collectUnits(sessions.values());
      return units.get(seriesId) ?? null;
    },
  };
}

/** Places of a message whose samples could not be counted. */
const anyPlace = 1_000_000;

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
