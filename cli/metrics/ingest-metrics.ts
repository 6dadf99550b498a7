import type { LogStats } from '@nhip/core/log/log-bus';
import type { IngestStats } from '@nhip/ingest/stats';
import type { MetricFamily } from '@nhip/live/http/prometheus';
import { furtherStoreFamilies } from '@nhip/live/pipeline-metrics';
import type { IngestStatus } from '../role-status.ts';
import { counter, gauge } from './families.ts';

type RequestCounts = Pick<IngestStats, 'rebirthsRequested' | 'resendsRequested'>;

/** What ingest, as a process of its own, says of itself. `deadLetters`: their log, once it is open. */
export function ingestFamilies(
  status: IngestStatus | undefined,
  requests: RequestCounts | undefined,
  deadLetters: LogStats | undefined,
): readonly MetricFamily[] {
  const log = deadLetters === undefined ? [] : deadLetterFamilies(deadLetters);
  const asked = requests === undefined ? [] : requestFamilies(requests);
  return status === undefined ? log : [...statusFamilies(status), ...asked, ...log];
}

/** The log of dead letters. */
export function deadLetterFamilies({ bytes, quotaBytes, evictedRecords }: LogStats): readonly MetricFamily[] {
  return [
    gauge('nhip_dead_letter_log_bytes', 'Size of the dead letters on the disk', bytes),
    gauge('nhip_dead_letter_log_quota_bytes', 'How large they may become; the oldest go beyond it', quotaBytes),
    counter('nhip_dead_letter_log_evicted_records_total', 'Dead letters given up because of that quota', evictedRecords),
  ];
}

/** What ingest asks of edges. */
export function requestFamilies({ rebirthsRequested, resendsRequested }: RequestCounts): readonly MetricFamily[] {
  return [
    counter('nhip_requested_rebirths_total', 'Requests to edges for their births', rebirthsRequested),
    counter('nhip_requested_resends_total', 'Requests to edges for numbers that are missing', resendsRequested),
  ];
}

function statusFamilies(status: IngestStatus): readonly MetricFamily[] {
  const byReason = (name: string, help: string, counts: Readonly<Record<string, number>>): MetricFamily => ({
    name,
    help,
    type: 'counter',
    samples: Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value })),
  });
  return [
    counter('nhip_received_samples_total', 'Samples received', status.received),
    counter('nhip_stored_samples_total', 'Samples stored', status.stored),
    counter('nhip_repeated_samples_total', 'Samples that had been stored before', status.repeated),
    byReason('nhip_dead_lettered_samples_total', 'Samples kept as dead letters, by reason', status.deadLetteredByReason),
    byReason('nhip_lost_samples_total', 'Samples that the server learned were lost, by reason', status.lostByReason),
    {
      name: 'nhip_store_lag_ms',
      help: 'Age of the oldest record that is not stored yet',
      type: 'gauge',
      samples: [{ value: status.lagMs }],
    },
    {
      name: 'nhip_store_up',
      help: '1 while the store takes what it gets',
      type: 'gauge',
      samples: [{ value: status.storeDownSinceMs === null ? 1 : 0 }],
    },
    {
      name: 'nhip_store_problem',
      help: 'Why the store takes nothing, by the code of its error; without it nothing is wrong',
      type: 'gauge',
      samples: status.storeProblem === null ? [] : [{ labels: { code: status.storeProblem.code }, value: 1 }],
    },
    ...furtherStoreFamilies(status.furtherStores),
  ];
}
