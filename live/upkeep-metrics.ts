import type { UpkeepStatus } from '@nhip/stores/history-store';
import type { MetricFamily } from './http/prometheus.ts';

/** What moving closed days to files does, for Prometheus; nothing for a store that keeps itself. */
export function upkeepFamilies(status: UpkeepStatus | undefined): readonly MetricFamily[] {
  if (status === undefined) return [];
  const {
    waitingSlices,
    waitingLateSamples,
    slices,
    lateSlices,
    movedSamples,
    expiredFiles,
    expiredSamples,
    coldFiles,
    coldSamples,
    coldBytes,
  } = status;
  const family = (type: MetricFamily['type'], name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type,
    samples: [{ value }],
  });
  return [
    family('gauge', 'nhip_upkeep_up', '0 when the last round of moving closed days to files failed', status.problem === null ? 1 : 0),
    family('gauge', 'nhip_upkeep_waiting_slices', 'Days that wait to be moved to files', waitingSlices),
    family(
      'gauge',
      'nhip_upkeep_waiting_late_samples',
      'Late samples of days that have files, too few yet to write one again',
      waitingLateSamples,
    ),
    family('counter', 'nhip_upkeep_slices_total', 'Days moved to files', slices),
    family('counter', 'nhip_upkeep_late_slices_total', 'Days written again for late samples', lateSlices),
    family('counter', 'nhip_upkeep_moved_samples_total', 'Samples moved to files', movedSamples),
    family('counter', 'nhip_upkeep_expired_files_total', 'Files deleted by retention', expiredFiles),
    family('counter', 'nhip_upkeep_expired_samples_total', 'Samples deleted by retention', expiredSamples),
    family('gauge', 'nhip_cold_files', 'Files of closed days', coldFiles),
    family('gauge', 'nhip_cold_samples', 'Samples in files of closed days', coldSamples),
    family('gauge', 'nhip_cold_bytes', 'Size of the files of closed days', coldBytes),
  ];
}
