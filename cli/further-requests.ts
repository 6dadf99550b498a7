import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { SendNodeCommand } from '@nhip/ingest/rebirth';

/** By now an edge that the first store asked has been born anew. */
const patienceMs = 4000;
/** Afterwards a request is a first one again. */
const forgetMs = 60_000;
const maxEdges = 10_000;

/**
 * What the ingest of a further store may ask of edges. The first store asks for everything that both miss, so the first request for a
 * birth is left to it; one that is asked for again was missed by this store alone (it was away longer than the log reaches) and is
 * sent. Numbers are never asked for again: what is gone from the log is in the first store.
 */
export function createFurtherRequests(clock: { monotonic(): number }, send: SendNodeCommand): SendNodeCommand {
  const first = new Map<string, number>();
  return (group, edge, payload) => {
    if (!decodePayload(payload).metrics.some(({ name }) => name === 'Node Control/Rebirth')) return;
    const key = `${group}/${edge}`;
    const nowMs = clock.monotonic();
    const sinceMs = nowMs - (first.get(key) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs < patienceMs) return;
    first.delete(key);
    if (sinceMs <= forgetMs) send(group, edge, payload);
    else {
      if (first.size >= maxEdges) first.clear();
      first.set(key, nowMs);
    }
  };
}
