import type { OutboxIdentity } from '../wire/outbox-identity.ts';
import { decodePayload } from '../wire/sparkplug/decode.ts';
import { parseTopic } from '../wire/topic.ts';
import { type DeadLetter, decodeReplay } from './dead-letter.ts';
import { createSession, type EdgeSession } from './edge-session.ts';
import { decodeJson } from './json-lane.ts';
import { decodeLogMessage, type LogMessage } from './log-record.ts';
import { createOutcome, type DecoderLimits, type Outcome, placeOf } from './outcome.ts';
import { decodeRefusedSamples, refusedSamplesTopic } from './refused-samples.ts';
import type { BatchMark, SampleBatch } from './sample-batch.ts';
import { pushBirthValues } from './session-events.ts';
import { decodeData } from './sparkplug-data.ts';

/** What came of a dead letter that was replayed. Its samples were pushed to the batch, marked as historical. */
export interface Replayed {
  readonly letter: DeadLetter;
  /** `<group>/<edge>` */
  readonly edge: string;
  readonly identity: OutboxIdentity | undefined;
  /** Place of each pushed sample in the original message. */
  readonly places: readonly number[];
}

/**
 * Decodes a dead letter again with the births as they are by now, and pushes of its message the samples that the letter is about. No
 * session state changes; what is still rejected stays a dead letter. Throws WireError when the message is still malformed.
 */
export function decodeReplayed(
  payload: Uint8Array,
  sessions: ReadonlyMap<string, EdgeSession>,
  batch: SampleBatch,
  limits: DecoderLimits,
): Replayed {
  const { letter, force } = decodeReplay(payload);
  const message = decodeLogMessage(letter.record);
  const mark = batch.mark();
  const outcome = createOutcome();
  const used = force ? { ...limits, maxAgeMs: Number.POSITIVE_INFINITY, maxFutureMs: Number.POSITIVE_INFINITY } : limits;
  const found =
    message.topic === refusedSamplesTopic
      ? pushRefused(message.payload, batch)
      : pushMessage(message, letter.sourceIndex, sessions, batch, mark, used, outcome);
  const isWanted = (place: number): boolean => letter.rows.some(({ places }) => places.some(([from, to]) => place >= from && place < to));
  const places = found.places.filter(isWanted);
  batch.keep(mark, (i) => isWanted(found.places[i - mark.length] ?? -1));
  batch.historical.fill(1, mark.length, batch.length);
  return { letter, edge: found.edge, identity: outcome.identity, places };
}

interface Pushed {
  readonly edge: string;
  readonly places: readonly number[];
}

function pushMessage(
  message: LogMessage,
  index: number,
  sessions: ReadonlyMap<string, EdgeSession>,
  batch: SampleBatch,
  mark: BatchMark,
  limits: DecoderLimits,
  outcome: Outcome,
): Pushed {
  const topic = parseTopic(message.topic);
  const edge = `${topic.group}/${topic.edge}`;
  if (topic.lane === 'json') decodeJson(topic, message, index, batch, limits, outcome);
  else {
    const session = sessions.get(edge) ?? createSession(topic.group, topic.edge);
    const { seq } = session;
    if (topic.type === 'NDATA' || topic.type === 'DDATA') decodeData(session, topic.device, message, index, batch, limits, outcome);
    else if (topic.type === 'NBIRTH' || topic.type === 'DBIRTH') {
      pushBirthValues(session, topic.device, decodePayload(message.payload), message, index, batch, limits, outcome);
    }
    session.seq = seq;
  }
  const places: number[] = [];
  for (let i = mark.length; i < batch.length; i++) places.push(placeOf(batch.tick[i] as number, outcome.firstTick));
  return { edge, places };
}

function pushRefused(payload: Uint8Array, batch: SampleBatch): Pushed {
  const samples = decodeRefusedSamples(payload);
  for (const { machine, metric, timeMs, tick, value, quality } of samples) {
    batch.push(batch.series.id(machine, metric), timeMs, tick, value, quality, true);
  }
  const machine = samples[0]?.machine ?? '';
  return { edge: machine.slice(0, machine.lastIndexOf('/')), places: samples.map((_, place) => place) };
}
