import type { Local } from '../language.ts';
import type { Column, PanelSpec, Target, Threshold } from '../panel-spec.ts';
import { colours, stateLooks } from '../words.ts';

/** Parts that several dashboards share. */

export const pieces: Local = { vi: 'suffix:sản phẩm', en: 'suffix:pieces' };

/** A query to InfluxDB. */
export function influx(query: string, alias?: string | Local, format?: 'table'): Target {
  return { source: 'influx', query, ...(alias === undefined ? {} : { alias }), ...(format === undefined ? {} : { format }) };
}

/** A query to Prometheus. */
export function prometheus(query: string, alias?: string | Local): Target {
  return { source: 'prometheus', query, ...(alias === undefined ? {} : { alias }) };
}

/** A colour, and others from a limit on. */
export function fromHere(colour: string, ...steps: readonly (readonly [from: number, colour: string])[]): readonly Threshold[] {
  return [{ from: null, colour }, ...steps.map(([from, next]) => ({ from, colour: next }))];
}

/** A number by itself; without rows it is 0. */
export function tile(
  id: number,
  width: number,
  spec: Pick<PanelSpec, 'title' | 'description' | 'unit' | 'targets'> & Partial<PanelSpec>,
): PanelSpec {
  return { kind: 'stat', height: 4, noValue: { vi: '0', en: '0' }, ...spec, id, width };
}

export const machineColumn: Column = { field: 'machine', title: { vi: 'Máy', en: 'Machine' }, unit: 'string', link: 'machine' };

export const oeeColumns: readonly Column[] = [
  machineColumn,
  { field: 'oee', title: { vi: 'OEE', en: 'OEE' }, unit: 'percentunit', decimals: 1 },
  { field: 'availability', title: { vi: 'Khả dụng', en: 'Availability' }, unit: 'percentunit', decimals: 1 },
  { field: 'performance', title: { vi: 'Hiệu suất', en: 'Performance' }, unit: 'percentunit', decimals: 1 },
  { field: 'quality', title: { vi: 'Chất lượng', en: 'Quality' }, unit: 'percentunit', decimals: 1 },
  { field: 'good', title: { vi: 'Đạt', en: 'Good' }, unit: pieces, decimals: 0 },
  { field: 'reject', title: { vi: 'Phế phẩm', en: 'Rejects' }, unit: pieces, decimals: 0 },
];

/** Parts of 1: red below 60 %, amber below 85 %. */
export const oeeThresholds = fromHere(colours.down, [0.6, colours.wait], [0.85, colours.run]);

/** Minutes in the states that matter, of `influxql.minutesByState`. */
export const minuteColumns: readonly Column[] = (
  ['running', 'idle', 'stopped', 'fault', 'setup', 'maintenance', 'notScheduled', 'agentOffline', 'plcUnreachable'] as const
).map((state) => ({ field: state, title: stateLooks[state].text, unit: 'm', decimals: 0 }));
