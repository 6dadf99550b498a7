import { machineId, quality } from '../wire/sample.ts';
import { readValue } from '../wire/sparkplug/decode.ts';
import { PayloadReader, valueField } from '../wire/sparkplug/payload-reader.ts';
import { readQuality } from '../wire/sparkplug/properties.ts';
import { type EdgeSession, nodeDevice } from './edge-session.ts';
import type { LogMessage } from './log-record.ts';
import { pushValue } from './normalise.ts';
import { isOutboxMetric, readOutboxMetric } from './outbox-metrics.ts';
import { type DecoderLimits, firstTickOf, type Outcome, tickModulus } from './outcome.ts';
import type { SampleBatch } from './sample-batch.ts';

/**
 * Decodes NDATA or DDATA: the hot path. A double by alias takes no object and no lookup by text.
 * Every metric but those of the outbox takes one sequence number, also when it is rejected, so that numbers stay contiguous.
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
  outcome.firstTick = firstTickOf(index);
  let place = 0;
  while (reader.next()) {
    let entry = session.byAlias.get(reader.alias);
    if (entry === undefined && reader.hasName) {
      const name = reader.name();
      if (isOutboxMetric(name)) {
        readOutboxMetric(reader, name, device, place, outcome);
        continue;
      }
      entry = byName?.get(name);
    }
    if (entry === undefined) {
      const timeMs = reader.metricTimestampMs < 0 ? payloadMs : reader.metricTimestampMs;
      rejectUnknown(session, device, reader, outcome, place++, timeMs >= earliest && timeMs <= latest ? timeMs : receivedMs);
      continue;
    }
    if (entry.seriesId < 0) {
      if (isOutboxMetric(entry.name)) readOutboxMetric(reader, entry.name, device, place, outcome);
      else place++;
      continue;
    }
    const tick = (outcome.firstTick + place++) % tickModulus;
    if (reader.isTransient) continue;
    const timestampMs = reader.metricTimestampMs < 0 ? payloadMs : reader.metricTimestampMs;
    const isPlain = reader.field === valueField.double && !reader.isNull && reader.propertiesEnd === reader.propertiesStart;
    if (isPlain && timestampMs >= earliest && timestampMs <= latest && Number.isFinite(reader.number)) {
      batch.pushNumber(entry.seriesId, timestampMs, tick, reader.number, quality.good, reader.isHistorical);
      continue;
    }
    pushValue(batch, outcome, limits, receivedMs, {
      seriesId: entry.seriesId,
      place: place - 1,
      timestampMs,
      tick,
      value: readValue(reader, reader.dataType || entry.dataType),
      quality: readQuality(reader),
      isHistorical: reader.isHistorical,
    });
  }
  outcome.identityCount = outcome.identity === undefined ? 0 : place;
}

/** Sparkplug 3.0 §5.4 (tck-id-payloads-sequence-num-incrementing): +1 modulo 256 over all messages of the node. */
export function checkSeq(session: EdgeSession, seq: number, outcome: Outcome): void {
  if (seq < 0) return;
  if (session.seq >= 0 && seq !== (session.seq + 1) % 256) outcome.needsRebirth = true;
  session.seq = seq;
}

const maxNameLength = 512;

function rejectUnknown(session: EdgeSession, device: string, reader: PayloadReader, outcome: Outcome, place: number, timeMs: number): void {
  const name = reader.name();
  const label = reader.alias >= 0 ? `alias ${reader.alias}` : `metric "${name}"`;
  const where = device === '' ? 'the node' : `device ${device}`;
  const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
  const sample = { machine, metric: name.length > maxNameLength ? '' : name, timeMs, place };
  if (session.isCut) {
    // Another birth would be cut again.
    outcome.rejects.addSample('tooManySeries', `${label} of ${where}: the edge declares more series than it may have`, sample);
    return;
  }
  outcome.needsRebirth = true;
  if (session.byName.has(device)) outcome.rejects.addSample('unknownMetric', `${label} is not in the birth of ${where}`, sample);
  else outcome.rejects.addSample('beforeBirth', `${label} came before a birth of ${where}`, sample);
}
