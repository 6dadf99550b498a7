import { machineId, quality } from '../wire/sample.ts';
import { decodePayload } from '../wire/sparkplug/decode.ts';
import type { Metric, Payload } from '../wire/sparkplug/payload.ts';
import type { Connection } from '../wire/vocabulary.ts';
import type { Outcome, TimeLimits } from './decoder.ts';
import { connectionSeries, defineMetrics, type EdgeSession, isDeviceProperty, isSessionMetric, nodeDevice } from './edge-session.ts';
import type { LogMessage } from './log-record.ts';
import { pushValue } from './normalise.ts';
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
  limits: TimeLimits,
  outcome: Outcome,
): void {
  const payload = decodePayload(message.payload);
  if (device === '') {
    session.byAlias.clear();
    session.byName.clear();
    session.isOnline = true;
    session.bdSeq = bdSeqOf(payload);
    session.seq = payload.seq ?? -1;
  } else {
    checkSeq(session, payload.seq ?? -1, outcome);
    if (!session.isOnline) outcome.needsRebirth = true;
  }
  defineMetrics(session, device, payload.metrics, batch.series);
  const hasOutbox = [...(session.byName.get(device)?.values() ?? [])].some((entry) => entry.isIdentity);
  const tick = index % 1_000_000;
  const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
  payload.metrics.forEach((metric, i) => {
    if (!isWanted(metric, hasOutbox) || metric.name === undefined) return;
    pushValue(batch, outcome, limits, message.receivedMs, {
      seriesId: batch.series.id(machine, metric.name),
      name: metric.name,
      timestampMs: metric.timestampMs ?? payload.timestampMs ?? message.receivedMs,
      tick: (tick + i) % 1_000_000,
      value: metric.value,
      quality: quality.good,
      isHistorical: false,
    });
  });
  if (device !== '') setConnection(session, device, 'online', message.receivedMs, tick, batch);
}

/** NDEATH and DDEATH. A death of an earlier session (other bdSeq) is ignored. Returns whether anything changed. */
export function handleDeath(session: EdgeSession, device: string, message: LogMessage, index: number, batch: SampleBatch): boolean {
  const payload = decodePayload(message.payload);
  const tick = index % 1_000_000;
  if (device !== '') {
    session.seq = payload.seq ?? session.seq;
    setConnection(session, device, 'plcUnreachable', payload.timestampMs ?? message.receivedMs, tick, batch);
    return true;
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
  for (const known of session.connections.keys()) setConnection(session, known, 'agentOffline', atMs, index % 1_000_000, batch);
}

function setConnection(session: EdgeSession, device: string, connection: Connection, atMs: number, tick: number, batch: SampleBatch): void {
  if (session.connections.get(device) === connection) return;
  session.connections.set(device, connection);
  batch.push(connectionSeries(session, device, batch.series), atMs, tick, connection, quality.good, false);
}

function isWanted(metric: Metric, hasOutbox: boolean): boolean {
  const name = metric.name ?? '';
  if (isSessionMetric(name) || metric.isTransient) return false;
  if (isDeviceProperty(name)) return true;
  return !hasOutbox && metric.value !== null;
}

function bdSeqOf(payload: Payload): number {
  const value = payload.metrics.find((metric) => metric.name === 'bdSeq')?.value;
  return typeof value === 'number' ? value : -1;
}
