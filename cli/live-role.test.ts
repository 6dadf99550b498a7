import { describe, expect, it } from 'vitest';
import { pipelineStats } from './live-role.ts';
import type { IngestStatus } from './role-status.ts';

const nowMs = 1_000_000;
const here = { log: { firstIndex: 10, nextIndex: 100, bytes: 5000 }, quotaBytes: 9000, nowMs };

function said(change: Partial<IngestStatus>): IngestStatus {
  const counts = { received: 7, stored: 5, repeated: 1, deadLettered: 1, lost: 0 };
  return {
    atMs: nowMs - 800,
    nextIndex: 100,
    ...counts,
    deadLetteredByReason: {},
    lostByReason: {},
    lagMs: 0,
    storeDownSinceMs: null,
    storeProblem: null,
    furtherStores: [],
    ...change,
  };
}

describe('the data path as live sees it', () => {
  it('is what ingest said last, and how much of the log is not stored', () => {
    expect(pipelineStats(said({ nextIndex: 90, lagMs: 40 }), { atMs: nowMs, evicted: 2, logFullSinceMs: 9 }, here)).toMatchObject({
      ...{ received: 7, stored: 5, lagMs: 40, storeDownSinceMs: null },
      ...{ logRecordsBehind: 10, logBytes: 5000, logQuotaBytes: 9000, evicted: 2, logFullSinceMs: 9 },
    });
  });

  it('grows late when ingest is gone and the log goes on', () => {
    const gone = said({ atMs: nowMs - 60_000, nextIndex: 90 });
    expect(pipelineStats(gone, undefined, here)).toMatchObject({ stored: 5, lagMs: 60_000, storeDownSinceMs: nowMs - 60_000 });
    expect(pipelineStats({ ...gone, nextIndex: 100 }, undefined, here)).toMatchObject({ lagMs: 0, logRecordsBehind: 0 });
  });

  it('is the whole log when no ingest ever spoke', () => {
    expect(pipelineStats(undefined, undefined, here)).toMatchObject({ stored: 0, logRecordsBehind: 90, logFullSinceMs: null });
  });
});
