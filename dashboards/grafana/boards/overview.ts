import { metricNames } from '@nhip/core/wire/vocabulary';
import type { DashboardSpec } from '../dashboard-spec.ts';
import * as influxql from '../influxql.ts';
import { nhipVariable } from '../links.ts';
import { placeholder } from '../placeholder.ts';
import { colours } from '../words.ts';
import { fromHere, influx, oeeColumns, pieces, tile } from './panels.ts';

export const overview: DashboardSpec = {
  id: 'overview',
  title: { vi: 'Nhịp · Toàn xưởng', en: 'Nhịp · Plant overview' },
  description: {
    vi: 'Máy nào đang chạy, dừng, mất liên lạc; làm được bao nhiêu; OEE của từng máy.',
    en: 'Which machines run, stand still or are out of reach; how much was made; OEE of every machine.',
  },
  from: 'now-8h',
  refresh: '10s',
  variables: ['line', 'machines'],
  page: { title: { vi: 'Bảng trực tiếp của Nhịp', en: 'Live board of Nhịp' }, path: '/' },
  panels: [
    tile(1, 4, {
      title: { vi: 'Đang chạy', en: 'Running' },
      description: { vi: 'Số máy đang chạy vào cuối khoảng thời gian.', en: 'Machines that run at the end of the range.' },
      unit: { vi: 'suffix:máy', en: 'suffix:machines' },
      targets: [influx(influxql.machinesIn('running'))],
    }),
    tile(2, 4, {
      title: { vi: 'Chờ hoặc dừng', en: 'Waiting or stopped' },
      description: { vi: 'Số máy đang chờ, đang dừng hoặc đang cài đặt.', en: 'Machines that wait, are stopped or in setup.' },
      unit: { vi: 'suffix:máy', en: 'suffix:machines' },
      targets: [influx(influxql.machinesIn('idle', 'stopped', 'setup', 'maintenance'))],
      thresholds: fromHere(colours.off, [1, colours.wait]),
    }),
    tile(3, 4, {
      title: { vi: 'Sự cố', en: 'Faults' },
      description: { vi: 'Số máy đang báo sự cố.', en: 'Machines in fault.' },
      unit: { vi: 'suffix:máy', en: 'suffix:machines' },
      targets: [influx(influxql.machinesIn('fault'))],
      thresholds: fromHere(colours.off, [1, colours.down]),
    }),
    tile(4, 4, {
      title: { vi: 'Mất liên lạc', en: 'Out of reach' },
      description: {
        vi: 'Số máy mà bộ thu ngoại tuyến hoặc không đọc được PLC. Thời gian đó không tính vào OEE. Tìm ngược 7 ngày từ cuối khoảng thời gian.',
        en: 'Machines whose edge agent is offline or whose PLC does not answer. That time does not count for OEE. Looks 7 days back from the end of the range.',
      },
      unit: { vi: 'suffix:máy', en: 'suffix:machines' },
      targets: [influx(influxql.outOfReach)],
      thresholds: fromHere(colours.off, [1, colours.wait]),
    }),
    tile(5, 4, {
      title: { vi: 'Báo động đang có', en: 'Active alarms' },
      description: { vi: 'Báo động còn hiệu lực vào cuối khoảng thời gian.', en: 'Alarms that are on at the end of the range.' },
      unit: 'short',
      targets: [influx(influxql.activeAlarmCount)],
      thresholds: fromHere(colours.off, [1, colours.down]),
    }),
    tile(6, 4, {
      title: { vi: 'Sản phẩm đạt', en: 'Good pieces' },
      description: {
        vi: 'Tổng bộ đếm sản phẩm đạt trong khoảng thời gian. Máy nối tiếp nhau cùng đếm một sản phẩm.',
        en: 'Sum of the counters of good pieces in the range. Machines one after the other count the same piece.',
      },
      unit: pieces,
      targets: [influx(influxql.countedBy(metricNames.countGood, 'good', ''))],
      thresholds: fromHere(colours.run),
    }),
    {
      id: 10,
      kind: 'stateTimeline',
      title: { vi: 'Trạng thái các máy', en: 'States of the machines' },
      description: {
        vi: 'Trạng thái cuối của từng khoảng chia. Bấm vào một vạch để mở trang của máy.',
        en: 'The last state of every interval. Click a bar to open the page of the machine.',
      },
      unit: 'none',
      width: 24,
      height: 13,
      interval: '10s',
      mapping: 'state',
      naming: 'machine',
      targets: [influx(influxql.states, '$tag_machine')],
    },
    {
      id: 11,
      kind: 'table',
      title: { vi: 'OEE theo máy', en: 'OEE by machine' },
      description: {
        vi: 'Khả dụng = phút chạy ÷ phút theo lịch; hiệu suất = sản phẩm × chu kỳ chuẩn ÷ thời gian chạy; chất lượng = đạt ÷ tổng. Trạng thái lấy mẫu từng phút. Máy không báo chu kỳ chuẩn thì không có hiệu suất.',
        en: 'Availability = running ÷ scheduled minutes; performance = pieces × ideal cycle ÷ running time; quality = good ÷ all. States are sampled every minute. A machine that reports no ideal cycle has no performance.',
      },
      unit: 'percentunit',
      width: 24,
      height: 11,
      sortBy: 'oee',
      columns: oeeColumns,
      targets: [influx(influxql.oee, undefined, 'table')],
    },
    {
      id: 12,
      kind: 'timeseries',
      title: { vi: 'Sản phẩm đạt mỗi giờ', en: 'Good pieces per hour' },
      description: {
        vi: 'Hiệu của bộ đếm trong từng giờ; bộ đếm về 0 không bị tính.',
        en: 'Difference of the counter in every hour; a reset counts as nothing.',
      },
      unit: pieces,
      width: 12,
      height: 9,
      style: 'stackedBars',
      naming: 'machine',
      targets: [influx(influxql.countedBy(metricNames.countGood, 'good', 'time(1h), machine'), '$tag_machine')],
    },
    {
      id: 13,
      kind: 'timeseries',
      title: { vi: 'Phế phẩm mỗi giờ', en: 'Rejects per hour' },
      description: { vi: 'Hiệu của bộ đếm phế phẩm trong từng giờ.', en: 'Difference of the counter of rejects in every hour.' },
      unit: pieces,
      width: 12,
      height: 9,
      style: 'stackedBars',
      naming: 'machine',
      targets: [influx(influxql.countedBy(metricNames.countReject, 'reject', 'time(1h), machine'), '$tag_machine')],
    },
    {
      id: 14,
      kind: 'text',
      title: { vi: 'Xem trực tiếp', en: 'Live' },
      description: { vi: 'Khi nào nên dùng bảng của Nhịp thay cho Grafana.', en: 'When to use the board of Nhịp instead of Grafana.' },
      unit: 'none',
      width: 24,
      height: 3,
      targets: [],
      content: {
        vi: `Bảng này hỏi kho dữ liệu mỗi 10 giây. Thay đổi trong vòng một giây xem ở [bảng trực tiếp của Nhịp](${placeholder(nhipVariable)}/).`,
        en: `This dashboard asks the store every 10 seconds. Changes within a second are on the [live board of Nhịp](${placeholder(nhipVariable)}/).`,
      },
    },
  ],
};
