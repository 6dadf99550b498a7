import { metricNames } from '@nhip/core/wire/vocabulary';
import type { DashboardSpec } from '../dashboard-spec.ts';
import * as influxql from '../influxql.ts';
import { colours } from '../words.ts';
import { fromHere, influx, machineColumn } from './panels.ts';

const energyTable = { vi: 'Điện năng', en: 'Energy' };

export const energy: DashboardSpec = {
  id: 'energy',
  title: { vi: 'Nhịp · Năng lượng', en: 'Nhịp · Energy' },
  description: {
    vi: 'Điện năng từ bộ đếm của máy và công tơ. Công tơ tổng đã gồm công tơ nhánh: chọn máy để không cộng hai lần.',
    en: 'Energy from the counters of machines and meters. A main meter contains those below it: choose machines so that nothing is added twice.',
  },
  from: 'now-24h',
  refresh: '1m',
  variables: ['meters'],
  panels: [
    {
      id: 1,
      kind: 'timeseries',
      title: { vi: 'Công suất', en: 'Power' },
      description: { vi: 'Công suất tác dụng, trung bình của từng khoảng chia.', en: 'Active power, mean of every interval.' },
      unit: 'kwatt',
      width: 24,
      height: 9,
      interval: '10s',
      naming: 'machine',
      targets: [influx(influxql.power, '$tag_machine')],
    },
    {
      id: 2,
      kind: 'timeseries',
      title: { vi: 'Điện năng mỗi giờ', en: 'Energy per hour' },
      description: {
        vi: 'Hiệu của bộ đếm kWh trong từng giờ; bộ đếm về 0 không bị tính.',
        en: 'Difference of the kWh counter in every hour; a reset counts as nothing.',
      },
      unit: 'kwatth',
      width: 12,
      height: 9,
      style: 'bars',
      naming: 'machine',
      targets: [influx(influxql.countedBy(metricNames.energyImport, 'energy', 'time(1h), machine'), '$tag_machine')],
    },
    {
      id: 3,
      kind: 'timeseries',
      title: { vi: 'Điện năng mỗi ngày', en: 'Energy per day' },
      description: { vi: 'Ngày theo giờ Việt Nam.', en: 'Days in the time zone of Vietnam.' },
      unit: 'kwatth',
      width: 12,
      height: 9,
      style: 'bars',
      naming: 'machine',
      targets: [
        influx(`${influxql.countedBy(metricNames.energyImport, 'energy', 'time(1d), machine')} TZ('Asia/Ho_Chi_Minh')`, '$tag_machine'),
      ],
    },
    {
      id: 4,
      kind: 'table',
      title: energyTable,
      description: { vi: 'Điện năng của từng máy trong khoảng thời gian.', en: 'Energy of every machine in the range.' },
      unit: 'kwatth',
      width: 8,
      height: 10,
      sortBy: 'energy',
      columns: [machineColumn, { field: 'energy', title: energyTable, unit: 'kwatth', decimals: 1 }],
      targets: [influx(influxql.countedBy(metricNames.energyImport, 'energy', 'machine'), undefined, 'table')],
    },
    {
      id: 5,
      kind: 'table',
      title: { vi: 'Công suất đỉnh', en: 'Peak power' },
      description: { vi: 'Giá trị lớn nhất đo được, và lúc nào.', en: 'The largest value measured, and when.' },
      unit: 'kwatt',
      width: 8,
      height: 10,
      sortBy: 'peak',
      columns: [
        machineColumn,
        { field: 'peak', title: { vi: 'Đỉnh', en: 'Peak' }, unit: 'kwatt', decimals: 1 },
        { field: 'Time', title: { vi: 'Lúc', en: 'When' } },
      ],
      targets: [influx(influxql.powerPeak, undefined, 'table')],
    },
    {
      id: 6,
      kind: 'barGauge',
      title: { vi: 'Điện năng mỗi sản phẩm đạt', en: 'Energy per good piece' },
      description: {
        vi: 'kWh trong khoảng thời gian ÷ sản phẩm đạt. Chỉ máy có đếm sản phẩm.',
        en: 'kWh in the range ÷ good pieces. Only machines that count pieces.',
      },
      unit: 'kwatth',
      width: 8,
      height: 10,
      decimals: 3,
      naming: 'machine',
      thresholds: fromHere(colours.plan),
      targets: [influx(influxql.energyPerPiece, '$tag_machine')],
    },
  ],
};
