import type { Clock } from '@nhip/core/process/env';
import { encodeResend, outboxResendMetric, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { SendNodeCommand } from './rebirth.ts';

/** Between two requests to one edge; doubles while the same number stays missing, so that an edge that cannot answer is left in peace. */
const quietMs = 10_000;
const longestQuietMs = 600_000;

/** Messages older than this are replayed history: what they miss may come later in the log. */
const maxAgeMs = 30_000;

/** Intervals in one request. */
export const maxResendIntervals = 16;

interface Asked {
  readonly atMs: number;
  readonly waitMs: number;
  readonly first: string;
}

/** Asks edges for numbers that they released and this server does not have. Returns whether it asked: throttled, and never on old messages. */
export function createResendRequester(
  clock: Clock,
  send: SendNodeCommand,
): (edge: string, missing: readonly ResendRequest[], receivedMs: number) => boolean {
  const asked = new Map<string, Asked>();
  return (edge, missing, receivedMs) => {
    const now = clock.now();
    const [lowest] = missing;
    if (lowest === undefined || now - receivedMs > maxAgeMs) return false;
    const before = asked.get(edge);
    if (before !== undefined && clock.monotonic() - before.atMs < before.waitMs) return false;
    const first = `${lowest.stream} ${lowest.from}`;
    const waitMs = before?.first === first ? Math.min(before.waitMs * 2, longestQuietMs) : quietMs;
    asked.set(edge, { atMs: clock.monotonic(), waitMs, first });
    const [group = '', node = ''] = edge.split('/');
    const metrics = missing
      .slice(0, maxResendIntervals)
      .map((request) => ({ name: outboxResendMetric, timestampMs: now, dataType: dataType.Bytes, value: encodeResend(request) }));
    send(group, node, encodePayload({ timestampMs: now, metrics }));
    return true;
  };
}
