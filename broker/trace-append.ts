import type { Tracing } from '@nhip/core/process/tracing';
import { decodeIdentity, outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { parseTopic } from '@nhip/core/wire/topic';

/** Traces the way of one message of device data into the log, when it carries the identity of our outbox. */
export function traceAppend(tracing: Tracing, topic: string, payload: Uint8Array, startMs: number, endMs: number): void {
  const parsed = parseTopic(topic);
  if (parsed.lane !== 'sparkplug' || parsed.type !== 'DDATA') return;
  try {
    const value = decodePayload(payload).metrics.find(({ name }) => name === outboxIdentityMetric)?.value;
    if (!(value instanceof Uint8Array)) return;
    const trace = tracing.traceOf(decodeIdentity(value, 0, value.length));
    if (trace !== undefined) tracing.add(trace, { name: 'broker.append', startMs, endMs, attributes: { bytes: payload.length } });
  } catch {
    // A payload that cannot be read is judged by ingest.
  }
}
