import type { MetricFamily } from '../http/prometheus.ts';
import type { LedgerStats } from '../plant-state/ledger.ts';

export interface KeeperStats {
  readonly frozenDays: number;
  readonly behindMs: number;
}

/** What keeping the figures of closed hours does, for Prometheus. */
export function kpiFamilies(ledger: LedgerStats, keeper: KeeperStats, dirty: number): readonly MetricFamily[] {
  const family = (type: MetricFamily['type'], name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type,
    samples: [{ value }],
  });
  return [
    family('gauge', 'nhip_kpi_segments', 'Stored figures of a machine from one cut of the calendar to the next', ledger.segments),
    family(
      'gauge',
      'nhip_kpi_lag_seconds',
      'How far the machine that is most behind is behind what could be stored',
      keeper.behindMs / 1000,
    ),
    family('gauge', 'nhip_kpi_waiting_restatements', 'Spans of time that wait to be computed again', dirty),
    {
      name: 'nhip_kpi_restated_segments_total',
      help: 'Stored figures that were restated',
      type: 'counter',
      samples: Object.entries(ledger.restated).map(([cause, value]) => ({ labels: { cause }, value })),
    },
    family(
      'counter',
      'nhip_kpi_frozen_days_total',
      'Days whose figures stay because the history holds less than they were computed from',
      keeper.frozenDays,
    ),
  ];
}
