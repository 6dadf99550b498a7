import type { Target } from './panel-spec.ts';

/** Fixed uids, so that dashboards find their data sources wherever they are imported. */
export const dataSources = {
  influx: { type: 'influxdb', uid: 'nhip-influxdb' },
  prometheus: { type: 'prometheus', uid: 'nhip-prometheus' },
} as const satisfies Record<Target['source'], { type: string; uid: string }>;

/** A query as Grafana's data sources take it. InfluxQL is not part of the SDK; its fields are those of Grafana's InfluxDB data source. */
export function queryModel({ source, query, alias, format }: Target & { readonly alias?: string }, refId: string) {
  const shared = { refId, datasource: dataSources[source] };
  const isTable = format === 'table';
  return source === 'influx'
    ? { ...shared, query, rawQuery: true, resultFormat: format ?? 'time_series', ...(alias === undefined ? {} : { alias }) }
    : {
        ...shared,
        ...{ expr: query, editorMode: 'code', format: format ?? 'time_series', instant: isTable, range: !isTable },
        ...(alias === undefined ? {} : { legendFormat: alias }),
      };
}
