import type { EdgeConnection, FurtherStore, PipelineStats } from '@nhip/core/wire/live';
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
    {
      name: 'nhip_store_problem',
      help: 'Why the store takes nothing, by the code of its error; without it nothing is wrong',
      type: 'gauge',
      samples: pipeline.storeProblem === null ? [] : [{ labels: { code: pipeline.storeProblem.code }, value: 1 }],
    },
    ...furtherStoreFamilies(pipeline.furtherStores),
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

/** Stores beside the first one, by their names: as many as the configuration has. */
export function furtherStoreFamilies(stores: readonly FurtherStore[]): readonly MetricFamily[] {
  const family = (name: string, type: MetricFamily['type'], help: string, value: (store: FurtherStore) => number): MetricFamily => ({
    name: `nhip_further_store_${name}`,
    help,
    type,
    samples: stores.map((store) => ({ labels: { store: store.name }, value: value(store) })),
  });
  return [
    family('up', 'gauge', '1 while the further store takes what it gets', ({ downSinceMs }) => (downSinceMs === null ? 1 : 0)),
    family('lag_ms', 'gauge', 'Age of the oldest record that was read for the further store and is not in it', ({ lagMs }) => lagMs),
    family('records_behind', 'gauge', 'Log records that the further store does not have yet', ({ recordsBehind }) => recordsBehind),
    family('stored_samples_total', 'counter', 'Samples that the further store took', ({ stored }) => stored),
    family('left_out_samples_total', 'counter', 'Samples that the further store cannot keep', ({ leftOut }) => leftOut),
    family(
      'missed_records_total',
      'counter',
      'Log records that were gone before the further store could take them',
      ({ missedRecords }) => missedRecords,
    ),
    family('upkeep_up', 'gauge', '0 when its closed days could not be moved to files', ({ upkeepProblem }) =>
      upkeepProblem === null ? 1 : 0,
    ),
    {
      name: 'nhip_further_store_problem',
      help: 'Why the further store takes nothing, by the code of its error',
      type: 'gauge',
      samples: stores.flatMap(({ name, problem }) => (problem === null ? [] : [{ labels: { store: name, code: problem.code }, value: 1 }])),
    },
  ];
}

/** Counters that begin at 0 show their first increase. */
const noLosses = Object.fromEntries(lossReasons.filter((reason) => reason !== 'deadLettered').map((reason) => [reason, 0]));

function byReason(counts: Readonly<Record<string, number | undefined>>): MetricFamily['samples'] {
  return Object.entries(counts).map(([reason, value = 0]) => ({ labels: { reason }, value }));
}
