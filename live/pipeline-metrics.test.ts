import type { EdgeConnection, PipelineStats } from '@nhip/core/wire/live';
import { describe, expect, it } from 'vitest';
import { prometheusText } from './http/prometheus.ts';
import { pipelineFamilies } from './pipeline-metrics.ts';

const pipeline: PipelineStats = {
  ...{ received: 100, stored: 90, repeated: 1, evicted: 0, lagMs: 5 },
  ...{ deadLettered: 2, deadLetteredByReason: { notANumber: 2 }, lost: 7, lostByReason: { outboxQuota: 7 } },
  ...{ logBytes: 1000, logQuotaBytes: 4000, logRecordsBehind: 6, storeDownSinceMs: null, logFullSinceMs: null },
  ...{ storeProblem: null, furtherStores: [] },
};
const edge = (id: string, outboxRecords: number | null, online = true): EdgeConnection => ({
  ...{ id, online, outboxRecords, since: 0, lastSeen: 0, lagMs: 0, backlogAtMs: null, devices: [] },
});

describe('figures of the data path', () => {
  it('names losses and dead letters by reason, each reason from the start', () => {
    const text = prometheusText(pipelineFamilies({ pipeline, edges: [], losses: [] }));
    expect(text).toContain('nhip_lost_samples_total{reason="outboxQuota"} 7\n');
    expect(text).toContain('nhip_lost_samples_total{reason="agentDown"} 0\n');
    expect(text).not.toContain('nhip_lost_samples_total{reason="deadLettered"}');
    expect(text).toContain('nhip_dead_lettered_samples_total{reason="notANumber"} 2\n');
    expect(text).toContain('nhip_store_up 1\n');
    expect(text).toContain('nhip_log_full 0\n');
    expect(text).toContain('nhip_log_records_behind 6\n');
    expect(text).toContain('nhip_log_quota_bytes 4000\n');
  });

  it('shows a store that is down and a log that is full', () => {
    const text = prometheusText(
      pipelineFamilies({ pipeline: { ...pipeline, storeDownSinceMs: 5, logFullSinceMs: 6 }, edges: [], losses: [] }),
    );
    expect(text).toContain('nhip_store_up 0\n');
    expect(text).toContain('nhip_log_full 1\n');
  });

  it('tells per edge what waits and what was lost', () => {
    const losses = [
      { edge: 'g/e', reason: 'outboxQuota', samples: 12, lastAtMs: 1 },
      { edge: 'g/e', reason: 'deadLettered', samples: 3, lastAtMs: 1 },
    ] as const;
    const text = prometheusText(pipelineFamilies({ pipeline, edges: [edge('g/e', 41), edge('g/f', null, false)], losses }));
    expect(text).toContain('nhip_edge_outbox_records{edge="g/e"} 41\n');
    expect(text).not.toContain('nhip_edge_outbox_records{edge="g/f"}');
    expect(text).toContain('nhip_edge_lost_samples_total{edge="g/e",reason="outboxQuota"} 12\n');
    expect(text).toContain('nhip_edge_dead_lettered_samples{edge="g/e"} 3\n');
    expect(text).toContain('nhip_edges{online="false"} 1\n');
  });

  it('bounds the number of edges with series of their own', () => {
    const edges = Array.from({ length: 2000 }, (_, i) => edge(`g/e${i}`, i));
    const losses = edges.map(({ id }) => ({ edge: `${id}x`, reason: 'outboxQuota', samples: 1, lastAtMs: 1 }) as const);
    const families = pipelineFamilies({ pipeline, edges, losses });
    const labelled = new Set(families.flatMap(({ samples }) => samples.map(({ labels }) => labels?.edge ?? '')));
    expect(labelled.size).toBe(501);
    expect(prometheusText(families)).toContain('nhip_edges{online="true"} 2000\n');
  });
});
