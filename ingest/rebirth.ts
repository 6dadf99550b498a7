import type { Clock } from '@nhip/core/process/env';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';

/** Sends an NCMD to an edge node. Never throws. */
export type SendNodeCommand = (group: string, edge: string, payload: Uint8Array) => void;

/** One request per edge in this time: a burst of undecodable messages must not become a burst of births. */
const quietMs = 5000;

/** Requests of one second: after a restart all edges may be unknown at once, and must not all be born at once. The others ask again with their next message. */
const maxPerS = 50;

/** Messages older than this are replayed history; the session that they belong to is over. */
const maxAgeMs = 30_000;

/** Asks edge nodes for a rebirth (Sparkplug 3.0 §6.4.19, tck-id-operational-behavior-data-commands-ncmd-rebirth-*), throttled. */
export function createRebirthRequester(clock: Clock, send: SendNodeCommand): (edge: string, receivedMs: number) => boolean {
  const asked = new Map<string, number>();
  let secondMs = Number.NEGATIVE_INFINITY;
  let inSecond = 0;
  return (edge, receivedMs) => {
    const now = clock.now();
    const atMs = clock.monotonic();
    if (now - receivedMs > maxAgeMs || atMs - (asked.get(edge) ?? Number.NEGATIVE_INFINITY) < quietMs) return false;
    if (atMs - secondMs >= 1000) {
      secondMs = atMs;
      inSecond = 0;
    }
    if (++inSecond > maxPerS) return false;
    asked.set(edge, atMs);
    const [group = '', node = ''] = edge.split('/');
    const metrics = [{ name: 'Node Control/Rebirth', timestampMs: now, dataType: dataType.Boolean, value: true }];
    send(group, node, encodePayload({ timestampMs: now, metrics }));
    return true;
  };
}
