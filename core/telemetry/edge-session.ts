import { outboxIdentityMetric } from '../wire/outbox-identity.ts';
import { machineId } from '../wire/sample.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { type Connection, deviceProperties, metricNames } from '../wire/vocabulary.ts';
import { isOutboxMetric } from './outbox-metrics.ts';
import type { SeriesTable } from './sample-batch.ts';

/** What a birth says about one metric: enough to decode DATA that carries only the alias. */
export interface MetricEntry {
  readonly name: string;
  /** -1 when it has none. */
  readonly alias: number;
  readonly dataType: number;
  readonly unit: string | null;
  readonly seriesId: number;
  readonly isIdentity: boolean;
}

/** Node id for metrics of the edge itself: `<group>/<edge>/_node`. */
export const nodeDevice = '_node';

/** Metrics that belong to the Sparkplug session, not to the machine. */
export function isSessionMetric(name: string): boolean {
  return name === 'bdSeq' || name.startsWith('Node Control/') || name.startsWith('Device Control/') || isOutboxMetric(name);
}

const propertyNames: ReadonlySet<string> = new Set(Object.values(deviceProperties));

export function isDeviceProperty(name: string): boolean {
  return propertyNames.has(name);
}

/** One edge node's session as its births told it (Sparkplug 3.0 §5, host side). */
export interface EdgeSession {
  readonly group: string;
  readonly edge: string;
  isOnline: boolean;
  /** -1 when the birth carried none. */
  bdSeq: number;
  /** seq of the last message of the node; -1 when not known (before the first birth, after a restore). */
  seq: number;
  readonly byAlias: Map<number, MetricEntry>;
  /** Keyed by device, then metric name. */
  readonly byName: Map<string, Map<string, MetricEntry>>;
  /** Entries in `byName`. */
  metricCount: number;
  /** A birth since the last NBIRTH declared more than the edge may have: unknown metrics are then no reason for a rebirth. */
  isCut: boolean;
  readonly connections: Map<string, Connection>;
}

export function createSession(group: string, edge: string): EdgeSession {
  const maps = { byAlias: new Map(), byName: new Map(), connections: new Map() };
  return { group, edge, isOnline: false, bdSeq: -1, seq: -1, metricCount: 0, isCut: false, ...maps };
}

/** Longer names and units are not kept: what a publisher sends must not decide how much memory a series takes. */
const maxNameLength = 512;
const maxUnitLength = 64;

/**
 * Takes over the definitions of one birth in place of the earlier ones; `device` is '' for the node itself. A metric
 * without a name is left out. Returns how many were left out because the edge has `maxSeries` or the name is too long.
 */
export function defineMetrics(
  session: EdgeSession,
  device: string,
  metrics: readonly Metric[],
  series: SeriesTable,
  maxSeries: number,
): number {
  const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
  const byName = freshNames(session, device);
  let leftOut = 0;
  for (const { name, alias = -1, dataType = 0, properties } of metrics) {
    if (name === undefined) continue;
    const isSession = isSessionMetric(name);
    const seriesId = isSession ? -1 : series.idWithin(machine, name, maxSeries);
    if (name.length > maxNameLength || session.metricCount >= maxSeries || (seriesId < 0 && !isSession)) {
      leftOut++;
      continue;
    }
    const unit = properties?.engUnit?.value;
    define(session, byName, {
      name,
      alias,
      dataType,
      unit: typeof unit === 'string' ? unit.slice(0, maxUnitLength) : null,
      seriesId,
      isIdentity: name === outboxIdentityMetric,
    });
  }
  if (leftOut > 0) session.isCut = true;
  return leftOut;
}

/** Forgets what an earlier birth of the device defined: an alias that it no longer has must not be decoded as the old metric. */
function freshNames(session: EdgeSession, device: string): Map<string, MetricEntry> {
  const old = session.byName.get(device);
  for (const entry of old?.values() ?? []) dropAlias(session, entry);
  session.metricCount -= old?.size ?? 0;
  const byName = new Map<string, MetricEntry>();
  session.byName.set(device, byName);
  return byName;
}

function define(session: EdgeSession, byName: Map<string, MetricEntry>, entry: MetricEntry): void {
  const twin = byName.get(entry.name);
  if (twin === undefined) session.metricCount++;
  else dropAlias(session, twin);
  byName.set(entry.name, entry);
  if (entry.alias >= 0) session.byAlias.set(entry.alias, entry);
}

function dropAlias(session: EdgeSession, entry: MetricEntry): void {
  if (session.byAlias.get(entry.alias) === entry) session.byAlias.delete(entry.alias);
}

/** Series that carries a device's connection; -1 when the edge has `maxSeries` already. */
export function connectionSeries(session: EdgeSession, device: string, series: SeriesTable, maxSeries: number): number {
  return series.idWithin(machineId(session.group, session.edge, device), metricNames.connection, maxSeries);
}

type StoredMetric = readonly [device: string, name: string, alias: number, dataType: number, unit: string | null];
export interface StoredSession {
  readonly group: string;
  readonly edge: string;
  readonly isOnline: boolean;
  readonly isCut: boolean;
  readonly bdSeq: number;
  readonly connections: readonly (readonly [string, Connection])[];
  /** Devices with a birth, also those whose birth had no metric; '' is the node. */
  readonly devices: readonly string[];
  readonly metrics: readonly StoredMetric[];
}

export function storeSession(session: EdgeSession): StoredSession {
  const metrics: StoredMetric[] = [];
  for (const [device, entries] of session.byName) {
    for (const entry of entries.values()) {
      // Two metrics with one alias: it belongs to the one that was declared last.
      const alias = session.byAlias.get(entry.alias) === entry ? entry.alias : -1;
      metrics.push([device, entry.name, alias, entry.dataType, entry.unit]);
    }
  }
  const { group, edge, isOnline, isCut, bdSeq } = session;
  return { group, edge, isOnline, isCut, bdSeq, connections: [...session.connections], devices: [...session.byName.keys()], metrics };
}

export function restoreSession(stored: StoredSession, series: SeriesTable): EdgeSession {
  const session = createSession(stored.group, stored.edge);
  session.isOnline = stored.isOnline;
  session.isCut = stored.isCut;
  session.bdSeq = stored.bdSeq;
  for (const [device, connection] of stored.connections) {
    session.connections.set(device, connection);
    connectionSeries(session, device, series, Number.POSITIVE_INFINITY);
  }
  for (const device of stored.devices) session.byName.set(device, new Map());
  for (const [device, name, alias, dataType, unit] of stored.metrics) {
    const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
    const seriesId = isSessionMetric(name) ? -1 : series.id(machine, name);
    const byName = session.byName.get(device);
    if (byName !== undefined) define(session, byName, { name, alias, dataType, unit, seriesId, isIdentity: name === outboxIdentityMetric });
  }
  return session;
}
