import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import type { LossReport } from '@nhip/core/wire/loss';
import { decodeIdentity, outboxIdentityMetric, outboxLossMetric, outboxReleasedMetric } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Watch } from './watch.ts';

/** Reads what goes into the broker's log: what an edge calls released must have been acknowledged before. */
export interface Auditor {
  appended(username: string, topic: string, payload: Uint8Array): void;
  /** Streams that the edge has used so far. */
  streamCount(username: string): number;
}

export function createAuditor(nowMs: () => number, watch: Watch): Auditor {
  let marks = 0;
  const safe = new Map<string, IntervalSet>();

  function safeOf(key: string): IntervalSet {
    let set = safe.get(key);
    if (set === undefined) {
      set = new IntervalSet();
      safe.set(key, set);
    }
    return set;
  }

  return {
    streamCount: (username) => [...safe.keys()].filter((key) => key.startsWith(`${username} `)).length,
    appended(username, topic, payload) {
      const type = topic.split('/')[2];
      if (topic.startsWith('json/') || (type !== 'DDATA' && type !== 'NDATA' && type !== 'NBIRTH')) return;
      let metrics: ReturnType<typeof decodePayload>['metrics'];
      try {
        metrics = decodePayload(payload).metrics;
      } catch {
        return;
      }
      for (const [i, { name, value }] of metrics.entries()) {
        if (value === null) continue;
        if (name === outboxIdentityMetric && value instanceof Uint8Array) {
          const { stream, seq } = decodeIdentity(value, 0, value.length);
          safeOf(`${username} ${stream}`).add(seq, seq + metrics.length - i - 1);
        } else if (name === outboxReleasedMetric && value instanceof Uint8Array) {
          const { stream, seq } = decodeIdentity(value, 0, value.length);
          const [first] = safeOf(`${username} ${stream}`).intervals();
          const safeTo = first === undefined || first[0] > 0 ? 0 : first[1];
          // It may go back: an agent that dies forgets acknowledgements, one that finds damage has something to report again.
          watch.watermark({ of: `${username} released of ${stream.slice(0, 8)} (${++marks})`, atMs: nowMs(), value: seq, safe: safeTo });
        } else if (name === outboxLossMetric && typeof value === 'string') {
          const { stream, seqFrom, seqTo } = JSON.parse(value) as LossReport;
          safeOf(`${username} ${stream}`).add(seqFrom, seqTo);
          watch.saw('loss report');
        }
      }
    },
  };
}
