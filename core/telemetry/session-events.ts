import { quality } from '../wire/sample.ts';
import { decodePayload } from '../wire/sparkplug/decode.ts';
import { isTemplate, type Metric, type Payload } from '../wire/sparkplug/payload.ts';
import type { Connection } from '../wire/vocabulary.ts';
import { connectionSeries, defineMetrics, type EdgeSession, isDeviceProperty, isSessionMetric } from './edge-session.ts';
import type { LogMessage } from './log-record.ts';
import { pushValue } from './normalise.ts';
import { readBirthOutbox } from './outbox-metrics.ts';
import { type DecoderLimits, firstTickOf, type Outcome, tickModulus } from './outcome.ts';
import type { SampleBatch } from './sample-batch.ts';
import { checkSeq } from './sparkplug-data.ts';

/**
 * NBIRTH and DBIRTH: definitions, and that the device is online (a `Connection` sample when that is new).
 *
 * Birth values of an edge with an outbox repeat what its DATA already carried, so only its device properties are
 * taken; values of any other edge are samples, because a birth may be the only place where they appear.
 */
export function handleBirth(
  session: EdgeSession,
  device: string,
  message: LogMessage,
  index: number,
  batch: SampleBatch,
  limits: DecoderLimits,
  outcome: Outcome,
): void {
  const payload = decodePayload(message.payload);
  if (device === '') {
    readBirthOutbox(payload.metrics, outcome);
    beginSession(session, payload);
  } else {
    checkSeq(session, payload.seq ?? -1, outcome);
    if (!session.isOnline) outcome.needsRebirth = true;
    if (connectionSeries(session, device, batch.series, limits.maxSeriesPerEdge) < 0) {
      session.isCut = true;
      outcome.rejects.add('tooManySeries', `device ${device}: the edge has ${limits.maxSeriesPerEdge} series already`);
      return;
    }
  }
  const leftOut = defineMetrics(session, device, payload.metrics, batch.series, limits.maxSeriesPerEdge);
  if (leftOut > 0) {
    const detail = `${leftOut} metrics of the birth: the name is too long, or the edge has ${limits.maxSeriesPerEdge} series already`;
    outcome.rejects.add('tooManySeries', detail, leftOut);
  }
  pushBirthValues(session, device, payload, message, index, batch, limits, outcome);
  if (device !== '') setConnection(session, device, 'online', message.receivedMs, index, batch);
}

function beginSession(session: EdgeSession, payload: Payload): void {
  session.byAlias.clear();
  session.byName.clear();
  session.metricCount = 0;
  session.isCut = false;
  session.isOnline = true;
  session.bdSeq = bdSeqOf(payload);
  session.seq = payload.seq ?? -1;
}

/** The values of a birth whose definitions are known. */
export function pushBirthValues(
  session: EdgeSession,
  device: string,
  payload: Payload,
  message: LogMessage,
  index: number,
  batch: SampleBatch,
  limits: DecoderLimits,
  outcome: Outcome,
): void {
  const byName = session.byName.get(device);
  if (byName === undefined) return;
  outcome.firstTick = firstTickOf(index);
  const hasOutbox = [...byName.values()].some((entry) => entry.isIdentity);
  payload.metrics.forEach((metric, i) => {
    const entry = byName.get(metric.name ?? '');
    if (entry === undefined || !isWanted(metric, hasOutbox)) return;
    pushValue(batch, outcome, limits, message.receivedMs, {
      seriesId: entry.seriesId,
      place: i,
      timestampMs: metric.timestampMs ?? payload.timestampMs ?? message.receivedMs,
      tick: (outcome.firstTick + i) % tickModulus,
      value: metric.value,
      quality: qualityOf(metric),
      isHistorical: metric.isHistorical === true,
    });
  });
}

/** NDEATH and DDEATH. A death of an earlier session (other bdSeq) is ignored. Returns whether anything changed. */
export function handleDeath(
  session: EdgeSession,
  device: string,
  message: LogMessage,
  index: number,
  batch: SampleBatch,
  outcome: Outcome,
): boolean {
  const payload = decodePayload(message.payload);
  if (device !== '') {
    checkSeq(session, payload.seq ?? -1, outcome);
    if (!session.isOnline || !session.connections.has(device)) {
      outcome.needsRebirth = true;
      return false;
    }
    return setConnection(session, device, 'plcUnreachable', message.receivedMs, index, batch);
  }
  const bdSeq = bdSeqOf(payload);
  if (!session.isOnline || (bdSeq >= 0 && session.bdSeq >= 0 && bdSeq !== session.bdSeq)) return false;
  endSession(session, message.receivedMs, index, batch);
  return true;
}

/** The edge node is gone: all its devices are, by the host's time (tck-id-operational-behavior-edge-node-termination-host-action-ndeath-*). */
export function endSession(session: EdgeSession, atMs: number, index: number, batch: SampleBatch): void {
  session.isOnline = false;
  session.seq = -1;
  for (const known of session.connections.keys()) setConnection(session, known, 'agentOffline', atMs, index, batch);
}

/**
 * A `Connection` sample when it is new; returns whether it was. Always by the host's clock: a death after a birth must be
 * the later one, whatever the edge's clock says. Its series is there since the birth of the device.
 */
function setConnection(
  session: EdgeSession,
  device: string,
  connection: Connection,
  atMs: number,
  index: number,
  batch: SampleBatch,
): boolean {
  if (session.connections.get(device) === connection) return false;
  session.connections.set(device, connection);
  const seriesId = connectionSeries(session, device, batch.series, Number.POSITIVE_INFINITY);
  batch.push(seriesId, atMs, firstTickOf(index), connection, quality.good, false);
  return true;
}

function isWanted(metric: Metric, hasOutbox: boolean): boolean {
  const name = metric.name ?? '';
  if (isSessionMetric(name) || metric.isTransient) return false;
  if (isDeviceProperty(name)) return true;
  return !hasOutbox && metric.value !== null && !(isTemplate(metric.value) && metric.value.isDefinition);
}

function qualityOf(metric: Metric): number {
  const code = metric.properties?.Quality?.value;
  return code === quality.bad || code === quality.stale ? code : quality.good;
}

function bdSeqOf(payload: Payload): number {
  const value = payload.metrics.find((metric) => metric.name === 'bdSeq')?.value;
  return typeof value === 'number' ? value : -1;
}
