import type { Clock } from '@nhip/core/process/env';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';

/** Sends an NCMD to an edge node. Never throws. */
export type SendNodeCommand = (group: string, edge: string, payload: Uint8Array) => void;

/** One request per edge in this time: a burst of undecodable messages must not become a burst of births. */
const quietMs = 5000;

/** Messages older than this are replayed history; the session that they belong to is over. */
const maxAgeMs = 30_000;

/** Asks edge nodes for a rebirth (Sparkplug 3.0 §6.4.19, tck-id-operational-behavior-data-commands-ncmd-rebirth-*), throttled. */
export function createRebirthRequester(clock: Clock, send: SendNodeCommand): (edge: string, receivedMs: number) => boolean {
  const asked = new Map<string, number>();
  return (edge, receivedMs) => {
    const now = clock.now();
    if (now - receivedMs > maxAgeMs || clock.monotonic() - (asked.get(edge) ?? Number.NEGATIVE_INFINITY) < quietMs) return false;
    asked.set(edge, clock.monotonic());
    const [group = '', node = ''] = edge.split('/');
    const metrics = [{ name: 'Node Control/Rebirth', timestampMs: now, dataType: dataType.Boolean, value: true }];
    send(group, node, encodePayload({ timestampMs: now, metrics }));
    return true;
  };
}
