import { type EdgeSession, nodeDevice } from '@nhip/core/telemetry/edge-session';
import type { EdgeConnection } from '@nhip/core/wire/live';
import { machineId } from '@nhip/core/wire/sample';
import type { LiveHub } from './hub.ts';

/** Node metric in which an edge agent reports how many samples wait in its outbox. */
const outboxMetric = 'Outbox/PendingRecords';

/** What a message of an edge told, besides its samples. */
export interface EdgeMessage {
  /** `<group>/<edge>` */
  readonly edge: string;
  readonly receivedMs: number;
  readonly isOnline: boolean;
  /** Newest sample time of a live batch; null when it had no live samples. */
  readonly newestMs: number | null;
  /** Newest sample time of a backlog batch; null when it had none. */
  readonly backlogMs: number | null;
}

/** Connection health of the edge agents, from what their messages tell. */
export interface EdgeBoard {
  heard(message: EdgeMessage): void;
  /** One row per session that the decoder knows. */
  rows(sessions: Iterable<EdgeSession>): readonly EdgeConnection[];
}

interface Facts {
  isOnline: boolean;
  sinceMs: number;
  lastSeenMs: number;
  lagMs: number | null;
  backlog: { readonly atMs: number; readonly receivedMs: number } | null;
}

/** A backlog is sent batch after batch: after this much time without one it is over. */
const backlogEndsAfterMs = 15_000;
/** Edges are credentials of the broker, so there are few; the bound only guards against a broken log. */
const maxEdges = 10_000;

export function createEdgeBoard(hub: LiveHub): EdgeBoard {
  const facts = new Map<string, Facts>();

  function outboxRecords(edge: string): number | null {
    const value = hub.metrics(`${edge}/${nodeDevice}`)?.find((metric) => metric.name === outboxMetric)?.v;
    return typeof value === 'number' ? value : null;
  }

  return {
    heard({ edge, receivedMs, isOnline, newestMs, backlogMs }) {
      let known = facts.get(edge);
      if (known === undefined) {
        if (facts.size >= maxEdges) return;
        known = { isOnline, sinceMs: receivedMs, lastSeenMs: receivedMs, lagMs: null, backlog: null };
        facts.set(edge, known);
      }
      if (known.isOnline !== isOnline) {
        known.isOnline = isOnline;
        known.sinceMs = receivedMs;
      }
      known.lastSeenMs = receivedMs;
      if (newestMs !== null) known.lagMs = receivedMs - newestMs;
      if (backlogMs !== null) known.backlog = { atMs: backlogMs, receivedMs };
    },
    rows(sessions) {
      const rows: EdgeConnection[] = [];
      for (const { group, edge, isOnline, connections } of sessions) {
        const id = `${group}/${edge}`;
        const known = facts.get(id);
        const waiting = outboxRecords(id);
        const backlog = known?.backlog ?? null;
        const isSending = backlog !== null && known !== undefined && known.lastSeenMs - backlog.receivedMs < backlogEndsAfterMs;
        rows.push({
          id,
          online: isOnline,
          since: known?.sinceMs ?? null,
          lastSeen: known?.lastSeenMs ?? null,
          lagMs: known?.lagMs ?? null,
          outboxRecords: waiting,
          backlogAtMs: isSending && waiting !== 0 ? backlog.atMs : null,
          devices: [...connections].map(([device, connection]) => ({ id: machineId(group, edge, device), connection })),
        });
      }
      return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
