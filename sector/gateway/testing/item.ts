import type { OutboxItem } from '../outbox/item.ts';
import { dayMs, startMs } from './test-gateway.ts';

/** A held report of a day, unless told otherwise. */
export function itemOf(parts: Partial<OutboxItem>): OutboxItem {
  return {
    id: 'r1',
    order: 1,
    recipient: 'sector-platform',
    seriesKey: '0999999983/nm-01/2026-03-01T00:00:00+07:00/P1D/1',
    duration: 'P1D',
    fromMs: startMs,
    toMs: startMs + dayMs,
    revision: 1,
    status: 'provisional',
    state: 'held',
    policyDigest: 'sha-256:policy',
    policyVersion: 1,
    sourceDigest: 'sha-256:source',
    contentDigest: 'sha-256:content',
    digest: 'sha-256:bytes',
    bytes: 3000,
    approvals: [],
    approvalsNeeded: 2,
    dueMs: 0,
    warnings: [],
    history: [],
    ...parts,
  };
}
