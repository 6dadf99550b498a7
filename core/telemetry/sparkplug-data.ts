import { decodeIdentity, outboxIdentityMetric } from '../wire/outbox-identity.ts';
import { quality } from '../wire/sample.ts';
import { readValue } from '../wire/sparkplug/decode.ts';
import { PayloadReader, valueField } from '../wire/sparkplug/payload-reader.ts';
import { readQuality } from '../wire/sparkplug/properties.ts';
import { WireError } from '../wire/wire-error.ts';
import type { EdgeSession } from './edge-session.ts';
import type { LogMessage } from './log-record.ts';
import { pushValue } from './normalise.ts';
import { addReject, type DecoderLimits, type Outcome } from './outcome.ts';
import type { SampleBatch } from './sample-batch.ts';

/** Ticks keep samples of one millisecond apart; they come from the sequence number (outbox) or the log index. */
const tickModulus = 1_000_000;

/**
 * Decodes NDATA or DDATA: the hot path. A double by alias takes no object and no lookup by text.
 * Every metric but the identity takes one sequence number, also when it is rejected, so that numbers stay contiguous.
 */
export function decodeData(
  session: EdgeSession,
  device: string,
  message: LogMessage,
  index: number,
  batch: SampleBatch,
  limits: DecoderLimits,
  outcome: Outcome,
): void {
  const reader = new PayloadReader(message.payload);
  checkSeq(session, reader.seq, outcome);
  if (!session.isOnline) outcome.needsRebirth = true;
  const { receivedMs } = message;
  const earliest = receivedMs - limits.maxAgeMs;
  const latest = receivedMs + limits.maxFutureMs;
  const payloadMs = reader.timestampMs < 0 ? receivedMs : reader.timestampMs;
  const byName = session.byName.get(device);
  let tick = index % tickModulus;
  let count = 0;
  while (reader.next()) {
    const entry = session.byAlias.get(reader.alias) ?? (reader.hasName ? byName?.get(reader.name()) : undefined);
    if (entry === undefined) {
      reject(session, device, reader, outcome);
      count++;
      continue;
    }
    if (entry.isIdentity) {
      if (reader.field !== valueField.bytes) throw new WireError('wire.malformed', `${outboxIdentityMetric} carries no bytes`);
      outcome.identity = decodeIdentity(reader.bytes, reader.start, reader.end);
      tick = outcome.identity.seq % tickModulus;
      count = 0;
      continue;
    }
    const at = (tick + count++) % tickModulus;
    if (entry.seriesId < 0 || reader.isTransient) continue;
    const timestampMs = reader.metricTimestampMs < 0 ? payloadMs : reader.metricTimestampMs;
    const isPlain = reader.field === valueField.double && !reader.isNull && reader.propertiesEnd === reader.propertiesStart;
    if (isPlain && timestampMs >= earliest && timestampMs <= latest && Number.isFinite(reader.number)) {
      batch.pushNumber(entry.seriesId, timestampMs, at, reader.number, quality.good, reader.isHistorical);
      continue;
    }
    pushValue(batch, outcome, limits, receivedMs, {
      seriesId: entry.seriesId,
      name: entry.name,
      timestampMs,
      tick: at,
      value: readValue(reader, reader.dataType || entry.dataType),
      quality: readQuality(reader),
      isHistorical: reader.isHistorical,
    });
  }
  outcome.identityCount = count;
}

/** Sparkplug 3.0 §5.4 (tck-id-payloads-sequence-num-incrementing): +1 modulo 256 over all messages of the node. */
export function checkSeq(session: EdgeSession, seq: number, outcome: Outcome): void {
  if (seq < 0) return;
  if (session.seq >= 0 && seq !== (session.seq + 1) % 256) outcome.needsRebirth = true;
  session.seq = seq;
}

function reject(session: EdgeSession, device: string, reader: PayloadReader, outcome: Outcome): void {
  const metric = reader.alias >= 0 ? `alias ${reader.alias}` : `metric "${reader.name()}"`;
  const where = device === '' ? 'the node' : `device ${device}`;
  if (session.isCut) {
    // Another birth would be cut again.
    addReject(outcome, 'tooManySeries', `${metric} of ${where}: the edge declares more series than it may have`);
    return;
  }
  outcome.needsRebirth = true;
  if (session.byName.has(device)) addReject(outcome, 'unknownMetric', `${metric} is not in the birth of ${where}`);
  else addReject(outcome, 'beforeBirth', `${metric} came before a birth of ${where}`);
}
