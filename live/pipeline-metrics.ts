import type { EdgeConnection, PipelineStats } from '@nhip/core/wire/live';
import { lossReasons } from '@nhip/core/wire/loss';
import type { LossTotal } from '@nhip/stores/history-store';
import type { MetricFamily } from './http/prometheus.ts';

export interface PipelineFigures {
  readonly pipeline: PipelineStats;
  readonly edges: readonly EdgeConnection[];
  /** Over the whole time, from the store. */
  readonly losses: readonly LossTotal[];
}

/** Edges that get series of their own; `nhip_edges` counts all. */
const maxEdges = 500;

/** The data path for Prometheus: counts since the process started; those per edge over the whole time. */
export function pipelineFamilies({ pipeline, edges, losses }: PipelineFigures): readonly MetricFamily[] {
  const one = (value: number) => [{ value }];
  const flag = (isOn: boolean) => one(isOn ? 1 : 0);
  const shown = new Set([...new Set([...edges.map(({ id }) => id), ...losses.map(({ edge }) => edge)])].sort().slice(0, maxEdges));
  const lost = losses.filter(({ edge, reason }) => reason !== 'deadLettered' && shown.has(edge));
  const dead = losses.filter(({ edge, reason }) => reason === 'deadLettered' && shown.has(edge));
  const online = edges.filter((edge) => edge.online).length;
  return [
    { name: 'nhip_received_samples_total', help: 'Samples received', type: 'counter', samples: one(pipeline.received) },
    { name: 'nhip_stored_samples_total', help: 'Samples stored', type: 'counter', samples: one(pipeline.stored) },
    { name: 'nhip_repeated_samples_total', help: 'Samples that had been stored before', type: 'counter', samples: one(pipeline.repeated) },
    {
      name: 'nhip_dead_lettered_samples_total',
      help: 'Samples kept as dead letters, by reason',
      type: 'counter',
      samples: byReason(pipeline.deadLetteredByReason),
    },
    {
      name: 'nhip_lost_samples_total',
      help: 'Samples that the server learned were lost, by reason',
      type: 'counter',
      samples: byReason({ ...noLosses, ...pipeline.lostByReason }),
    },
    {
      name: 'nhip_evicted_records_total',
      help: 'Log records given up because of a quota',
      type: 'counter',
      samples: one(pipeline.evicted),
    },
    { name: 'nhip_store_lag_ms', help: 'Age of the oldest record that is not stored yet', type: 'gauge', samples: one(pipeline.lagMs) },
    {
      name: 'nhip_store_up',
      help: '1 while the store takes what it gets',
      type: 'gauge',
      samples: flag(pipeline.storeDownSinceMs === null),
    },
    { name: 'nhip_log_bytes', help: 'Size of the log on the disk', type: 'gauge', samples: one(pipeline.logBytes) },
    { name: 'nhip_log_quota_bytes', help: 'How large the log may become', type: 'gauge', samples: one(pipeline.logQuotaBytes) },
    {
      name: 'nhip_log_records_behind',
      help: 'Log records that are not stored yet',
      type: 'gauge',
      samples: one(pipeline.logRecordsBehind),
    },
    {
      name: 'nhip_log_full',
      help: '1 while the log refuses what edges send because it is full',
      type: 'gauge',
      samples: flag(pipeline.logFullSinceMs !== null),
    },
    {
      name: 'nhip_edges',
      help: 'Edge agents known, by whether their session is open',
      type: 'gauge',
      samples: [
        { labels: { online: 'true' }, value: online },
        { labels: { online: 'false' }, value: edges.length - online },
      ],
    },
    {
      name: 'nhip_edge_outbox_records',
      help: 'Samples that wait on the disk of an edge agent, as it reports',
      type: 'gauge',
      samples: edges.flatMap(({ id, outboxRecords }) =>
        outboxRecords === null || !shown.has(id) ? [] : [{ labels: { edge: id }, value: outboxRecords }],
      ),
    },
    {
      name: 'nhip_edge_lost_samples_total',
      help: 'Samples of an edge agent that were lost, by reason, over the whole time',
      type: 'counter',
      samples: lost.map(({ edge, reason, samples }) => ({ labels: { edge, reason }, value: samples })),
    },
    {
      name: 'nhip_edge_dead_lettered_samples',
      help: 'Samples of an edge agent that are kept as dead letters and were not replayed',
      type: 'gauge',
      samples: dead.map(({ edge, samples }) => ({ labels: { edge }, value: samples })),
    },
  ];
}

/** Counters that begin at 0 show their first increase. */
const noLosses = Object.fromEntries(lossReasons.filter((reason) => reason !== 'deadLettered').map((reason) => [reason, 0]));

function byReason(counts: Readonly<Record<string, number | undefined>>): MetricFamily['samples'] {
  return Object.entries(counts).map(([reason, value = 0]) => ({ labels: { reason }, value }));
}
