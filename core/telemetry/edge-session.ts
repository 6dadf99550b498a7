import { outboxIdentityMetric } from '../wire/outbox-identity.ts';
import { machineId } from '../wire/sample.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { type Connection, deviceProperties, metricNames } from '../wire/vocabulary.ts';
import type { SeriesTable } from './sample-batch.ts';

/** What a birth says about one metric: enough to decode DATA that carries only the alias. */
export interface MetricEntry {
  readonly name: string;
  readonly dataType: number;
  readonly unit: string | null;
  readonly seriesId: number;
  readonly isIdentity: boolean;
}

/** Node id for metrics of the edge itself: `<group>/<edge>/_node`. */
export const nodeDevice = '_node';

/** Metrics that belong to the Sparkplug session, not to the machine. */
export function isSessionMetric(name: string): boolean {
  return name === 'bdSeq' || name.startsWith('Node Control/') || name.startsWith('Device Control/') || name === outboxIdentityMetric;
}

export function isDeviceProperty(name: string): boolean {
  return name === deviceProperties.displayName || name === deviceProperties.kind || name === deviceProperties.line;
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
  readonly connections: Map<string, Connection>;
}

export function createSession(group: string, edge: string): EdgeSession {
  return { group, edge, isOnline: false, bdSeq: -1, seq: -1, byAlias: new Map(), byName: new Map(), connections: new Map() };
}

/** Takes over the definitions of one birth; `device` is '' for the node itself. A metric without a name is left out. */
export function defineMetrics(session: EdgeSession, device: string, metrics: readonly Metric[], series: SeriesTable): void {
  const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
  const byName = new Map<string, MetricEntry>();
  for (const metric of metrics) {
    if (metric.name === undefined) continue;
    const unit = metric.properties?.engUnit?.value;
    const entry: MetricEntry = {
      name: metric.name,
      dataType: metric.dataType ?? 0,
      unit: typeof unit === 'string' ? unit : null,
      seriesId: isSessionMetric(metric.name) ? -1 : series.id(machine, metric.name),
      isIdentity: metric.name === outboxIdentityMetric,
    };
    byName.set(metric.name, entry);
    if (metric.alias !== undefined) session.byAlias.set(metric.alias, entry);
  }
  session.byName.set(device, byName);
}

/** Series that carries a device's connection. */
export function connectionSeries(session: EdgeSession, device: string, series: SeriesTable): number {
  return series.id(machineId(session.group, session.edge, device), metricNames.connection);
}

type StoredMetric = readonly [device: string, name: string, alias: number, dataType: number, unit: string | null];
export interface StoredSession {
  readonly group: string;
  readonly edge: string;
  readonly isOnline: boolean;
  readonly bdSeq: number;
  readonly connections: readonly (readonly [string, Connection])[];
  readonly metrics: readonly StoredMetric[];
}

export function storeSession(session: EdgeSession): StoredSession {
  const aliases = new Map([...session.byAlias].map(([alias, entry]) => [entry, alias]));
  const metrics: StoredMetric[] = [];
  for (const [device, entries] of session.byName) {
    for (const entry of entries.values()) metrics.push([device, entry.name, aliases.get(entry) ?? -1, entry.dataType, entry.unit]);
  }
  const { group, edge, isOnline, bdSeq } = session;
  return { group, edge, isOnline, bdSeq, connections: [...session.connections], metrics };
}

export function restoreSession(stored: StoredSession, series: SeriesTable): EdgeSession {
  const session = createSession(stored.group, stored.edge);
  session.isOnline = stored.isOnline;
  session.bdSeq = stored.bdSeq;
  for (const [device, connection] of stored.connections) session.connections.set(device, connection);
  for (const [device, name, alias, dataType, unit] of stored.metrics) {
    const machine = machineId(session.group, session.edge, device === '' ? nodeDevice : device);
    const seriesId = isSessionMetric(name) ? -1 : series.id(machine, name);
    const entry: MetricEntry = { name, dataType, unit, seriesId, isIdentity: name === outboxIdentityMetric };
    let byName = session.byName.get(device);
    if (byName === undefined) {
      byName = new Map();
      session.byName.set(device, byName);
    }
    byName.set(name, entry);
    if (alias >= 0) session.byAlias.set(alias, entry);
  }
  return session;
}
