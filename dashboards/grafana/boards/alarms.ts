import type { DashboardSpec } from '../dashboard-spec.ts';
import * as influxql from '../influxql.ts';
import { colours } from '../words.ts';
import { fromHere, influx, machineColumn, tile } from './panels.ts';

const alarmColumn = { field: 'metric', title: { vi: 'Báo động', en: 'Alarm' }, unit: 'string' };

export const alarms: DashboardSpec = {
  id: 'alarms',
  title: { vi: 'Nhịp · Báo động', en: 'Nhịp · Alarms' },
  description: {
    vi: 'Báo động của máy: đang có gì, cái nào hay lặp lại, khi nào dồn dập.',
    en: 'Alarms of the machines: what is on, what comes back again and again, and when they flood.',
  },
  from: 'now-24h',
  refresh: '10s',
  variables: ['line', 'machines'],
  panels: [
    tile(1, 6, {
      title: { vi: 'Đang có', en: 'Active' },
      description: { vi: 'Báo động còn hiệu lực vào cuối khoảng thời gian.', en: 'Alarms that are on at the end of the range.' },
      unit: 'short',
      height: 7,
      thresholds: fromHere(colours.off, [1, colours.down]),
      targets: [influx(influxql.activeAlarmCount)],
    }),
    {
      id: 2,
      kind: 'table',
      title: { vi: 'Báo động đang có', en: 'Active alarms' },
      description: { vi: 'Thời điểm là lần cuối máy báo.', en: 'The time is when the machine reported it last.' },
      unit: 'none',
      width: 18,
      height: 7,
      columns: [machineColumn, alarmColumn, { field: 'Time', title: { vi: 'Báo lần cuối', en: 'Reported last' }, unit: 'dateTimeFromNow' }],
      targets: [influx(influxql.activeAlarms, undefined, 'table')],
    },
    {
      id: 3,
      kind: 'timeseries',
      title: { vi: 'Báo động mỗi giờ', en: 'Alarms per hour' },
      description: {
        vi: 'Số lần xuất hiện. Quá nhiều trong mười phút thì không ai đọc kịp.',
        en: 'How many came. Too many within ten minutes are more than a person can read.',
      },
      unit: 'short',
      width: 12,
      height: 9,
      style: 'stackedBars',
      naming: 'machine',
      targets: [influx(influxql.alarmsBy('time(1h), machine'), '$tag_machine')],
    },
    {
      id: 4,
      kind: 'table',
      title: { vi: 'Báo động lặp lại nhiều nhất', en: 'Most frequent alarms' },
      description: {
        vi: 'Số lần xuất hiện trong khoảng thời gian: nên sửa từ trên xuống.',
        en: 'How often each came in the range: mend them from the top.',
      },
      unit: 'short',
      width: 12,
      height: 9,
      sortBy: 'alarms',
      columns: [machineColumn, alarmColumn, { field: 'alarms', title: { vi: 'Số lần', en: 'Times' }, unit: 'short', decimals: 0 }],
      targets: [influx(influxql.alarmsBy('machine, metric'), undefined, 'table')],
    },
    {
      id: 5,
      kind: 'stateTimeline',
      title: { vi: 'Báo động theo thời gian', en: 'Alarms over time' },
      description: { vi: 'Bấm vào một vạch để mở trang của máy.', en: 'Click a bar to open the page of the machine.' },
      unit: 'none',
      width: 24,
      height: 14,
      interval: '10s',
      mapping: 'alarm',
      naming: 'alarm',
      targets: [influx(influxql.alarmStates, '$tag_machine · $tag_metric')],
    },
    {
      id: 6,
      kind: 'table',
      title: { vi: 'Nhật ký báo động', en: 'Alarm journal' },
      description: { vi: 'Từng lần xuất hiện và hết.', en: 'Every coming and going.' },
      unit: 'none',
      width: 24,
      height: 9,
      sortBy: 'Time',
      columns: [
        { field: 'Time', title: { vi: 'Lúc', en: 'When' } },
        machineColumn,
        alarmColumn,
        { field: 'change', title: { vi: 'Thay đổi', en: 'Change' }, unit: 'none', mapping: 'alarmChange' },
      ],
      targets: [influx(influxql.alarmEvents, undefined, 'table')],
    },
  ],
};
