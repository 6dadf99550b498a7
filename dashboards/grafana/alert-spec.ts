import { alerts } from './influxql.ts';
import type { Local } from './language.ts';
import type { Target } from './panel-spec.ts';

/** An alert rule as data. The last value of each series is compared with the limit. */
export interface AlertSpec {
  /** Stable for ever; the uid in Grafana. */
  readonly uid: string;
  readonly title: Local;
  /** What happened and what to do, as a Go template; without `$`, which older Grafanas take for the environment. */
  readonly summary: Local;
  readonly source: Target['source'];
  readonly query: string;
  /** How far back the query looks. */
  readonly rangeS: number;
  readonly alertsWhen: { readonly is: 'gt' | 'lt'; readonly than: number };
  /** How long it must hold. */
  readonly forText: string;
  readonly severity: 'critical' | 'warning';
  /** No rows: nothing wrong, or exactly what is wrong. */
  readonly noData: 'OK' | 'Alerting';
  /** Dashboard and panel that show it. */
  readonly panel: readonly [board: string, panel: number];
}

const day = 86_400;

export const alertSpecs: readonly AlertSpec[] = [
  {
    uid: 'nhip-no-samples',
    title: { vi: 'Không có số liệu nào vào kho', en: 'No samples reach the store' },
    summary: {
      vi: 'Không máy nào có số liệu trong 10 phút, hoặc Grafana không hỏi được InfluxDB. Xem máy chủ Nhịp và InfluxDB: npx nhip doctor.',
      en: 'No machine had any data for 10 minutes, or Grafana cannot ask InfluxDB. Look at the Nhịp server and InfluxDB: npx nhip doctor.',
    },
    source: 'influx',
    query: alerts.samples,
    rangeS: 600,
    alertsWhen: { is: 'lt', than: 1 },
    ...{ forText: '2m', severity: 'critical', noData: 'Alerting', panel: ['data-quality', 10] },
  },
  {
    uid: 'nhip-machine-silent',
    title: { vi: 'Máy không gửi số liệu', en: 'A machine sends no data' },
    summary: {
      vi: '{{ .Labels.machine }}: không có mẫu nào từ 10 đến 20 phút nay, mà trong 6 giờ qua thì có. Xem PLC, mạng và bộ thu.',
      en: '{{ .Labels.machine }}: no sample for 10 to 20 minutes, though there were some within 6 hours. Look at PLC, network and edge agent.',
    },
    source: 'influx',
    query: alerts.samplesPerMachine,
    rangeS: day / 4,
    alertsWhen: { is: 'lt', than: 0.5 },
    ...{ forText: '0s', severity: 'warning', noData: 'OK', panel: ['data-quality', 12] },
  },
  {
    uid: 'nhip-edge-offline',
    title: { vi: 'Bộ thu ngoại tuyến', en: 'Edge agent offline' },
    summary: {
      vi: '{{ .Labels.machine }}: bộ thu của máy đã mất phiên với máy chủ. Số liệu chờ trên đĩa của bộ thu. Xem nguồn điện và mạng.',
      en: '{{ .Labels.machine }}: its edge agent has lost the session with the server. Data waits on its disk. Look at power and network.',
    },
    source: 'influx',
    query: alerts.offlineMachines,
    rangeS: 7 * day,
    alertsWhen: { is: 'gt', than: 0 },
    ...{ forText: '5m', severity: 'critical', noData: 'OK', panel: ['data-quality', 4] },
  },
  {
    uid: 'nhip-machine-fault',
    title: { vi: 'Máy sự cố quá 10 phút', en: 'Machine in fault for more than 10 minutes' },
    summary: {
      vi: '{{ .Labels.machine }}: sự cố {{ .Values.B }} phút trong 15 phút qua.',
      en: '{{ .Labels.machine }}: in fault for {{ .Values.B }} of the last 15 minutes.',
    },
    source: 'influx',
    query: alerts.faultMinutes,
    rangeS: 900,
    alertsWhen: { is: 'gt', than: 10 },
    ...{ forText: '0s', severity: 'warning', noData: 'OK', panel: ['overview', 10] },
  },
  {
    uid: 'nhip-loss',
    title: { vi: 'Mất số liệu', en: 'Data was lost' },
    summary: {
      vi: '{{ .Labels.edge }}: mất {{ .Values.B }} mẫu trong một giờ qua, vì {{ .Labels.reason }}. Bảng "Chất lượng số liệu" nói mẫu nào.',
      en: '{{ .Labels.edge }}: {{ .Values.B }} samples lost within the last hour, reason {{ .Labels.reason }}. "Data quality" tells which.',
    },
    source: 'influx',
    query: alerts.lost,
    rangeS: 3600,
    alertsWhen: { is: 'gt', than: 0 },
    ...{ forText: '0s', severity: 'critical', noData: 'OK', panel: ['data-quality', 8] },
  },
  {
    uid: 'nhip-dead-letters',
    title: { vi: 'Số liệu bị loại', en: 'Data was rejected' },
    summary: {
      vi: '{{ .Labels.edge }}: {{ .Values.B }} mẫu bị loại nhưng còn giữ. Xem vì sao: npx nhip dlq list.',
      en: '{{ .Labels.edge }}: {{ .Values.B }} samples rejected, but kept. See why: npx nhip dlq list.',
    },
    source: 'influx',
    query: alerts.deadLetters,
    rangeS: 3600,
    alertsWhen: { is: 'gt', than: 0 },
    ...{ forText: '0s', severity: 'warning', noData: 'OK', panel: ['data-quality', 2] },
  },
  {
    uid: 'nhip-outbox-fills',
    title: { vi: 'Bộ thu dồn số liệu', en: 'Data piles up at the edge' },
    summary: {
      vi: '{{ .Labels.machine }}: {{ .Values.B }} bản ghi chờ gửi. Máy chủ nhận chậm hơn bộ thu ghi, hoặc mạng quá chậm.',
      en: '{{ .Labels.machine }}: {{ .Values.B }} records wait to be sent. The server takes less than the edge records, or the network is too slow.',
    },
    source: 'influx',
    query: alerts.outbox,
    rangeS: 900,
    alertsWhen: { is: 'gt', than: 10_000 },
    ...{ forText: '10m', severity: 'warning', noData: 'OK', panel: ['data-quality', 5] },
  },
  {
    uid: 'nhip-bad-quality',
    title: { vi: 'Nhiều số đo chất lượng xấu', en: 'Much data of bad quality' },
    summary: {
      vi: '{{ .Labels.machine }}: hơn 10 % số đo trong một giờ qua bị nguồn đánh dấu xấu hoặc cũ. Xem cảm biến và PLC.',
      en: '{{ .Labels.machine }}: its source calls more than 10 % of the last hour bad or stale. Look at sensors and PLC.',
    },
    source: 'influx',
    query: alerts.badQuality,
    rangeS: 3600,
    alertsWhen: { is: 'gt', than: 0.1 },
    ...{ forText: '15m', severity: 'warning', noData: 'OK', panel: ['data-quality', 13] },
  },
  {
    uid: 'nhip-store-down',
    title: { vi: 'Kho không nhận', en: 'The store refuses' },
    summary: {
      vi: 'Kho dữ liệu không nhận, hoặc Prometheus không đọc được Nhịp. Số liệu chờ trong nhật ký của máy chủ. Xem kho, đĩa: npx nhip doctor.',
      en: 'The store takes nothing, or Prometheus cannot scrape Nhịp. Data waits in the log of the server. Look at the store and its disk: npx nhip doctor.',
    },
    source: 'prometheus',
    query: 'min(nhip_store_up)',
    rangeS: 300,
    alertsWhen: { is: 'lt', than: 1 },
    ...{ forText: '2m', severity: 'critical', noData: 'Alerting', panel: ['internals', 1] },
  },
  {
    uid: 'nhip-store-lag',
    title: { vi: 'Vào kho chậm', en: 'The store lags behind' },
    summary: {
      vi: 'Bản ghi cũ nhất chưa vào kho đã {{ .Values.B }} ms.',
      en: 'The oldest record that is not stored is {{ .Values.B }} ms old.',
    },
    source: 'prometheus',
    query: 'max(nhip_store_lag_ms)',
    rangeS: 300,
    alertsWhen: { is: 'gt', than: 60_000 },
    ...{ forText: '5m', severity: 'warning', noData: 'OK', panel: ['internals', 6] },
  },
  {
    uid: 'nhip-log-fills',
    title: { vi: 'Nhật ký sắp đầy', en: 'The log is nearly full' },
    summary: {
      vi: 'Nhật ký của máy chủ dùng hơn 80 % hạn mức. Khi đầy, số liệu ở lại bộ thu. Xem kho có nhận không, đĩa còn chỗ không.',
      en: 'The log of the server uses more than 80 % of its quota. When it is full, data stays at the edge. Does the store take data, has the disk room?',
    },
    source: 'prometheus',
    query: 'max(nhip_log_bytes / nhip_log_quota_bytes)',
    rangeS: 300,
    alertsWhen: { is: 'gt', than: 0.8 },
    ...{ forText: '5m', severity: 'warning', noData: 'OK', panel: ['internals', 8] },
  },
  {
    uid: 'nhip-log-full',
    title: { vi: 'Nhật ký đầy', en: 'The log is full' },
    summary: {
      vi: 'Máy chủ từ chối số liệu vì nhật ký đầy hoặc đĩa đầy. Dọn đĩa hoặc sửa kho.',
      en: 'The server refuses data because its log or disk is full. Free space, or mend the store.',
    },
    source: 'prometheus',
    query: 'max(nhip_log_full)',
    rangeS: 300,
    alertsWhen: { is: 'gt', than: 0 },
    ...{ forText: '1m', severity: 'critical', noData: 'OK', panel: ['internals', 3] },
  },
];
