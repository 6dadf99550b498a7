import { createHash } from 'node:crypto';
import type { OutboxIdentity } from '@nhip/core/wire/outbox-identity';

/** Hex digits of a trace id that decide whether it is kept: 52 of the 56 bits that OpenTelemetry calls its randomness. */
const [from, to] = [18, 31];
const range = 2 ** 52;

/** The trace id (32 hex digits) of a record and the span id (16) of its first stretch: the same wherever they are asked for. */
export function traceIdOf({ stream, seq }: OutboxIdentity): { readonly traceId: string; readonly rootId: string } {
  const digits = createHash('sha256').update(`nhip ${stream} ${seq}`).digest('hex');
  return { traceId: digits.slice(0, 32), rootId: digits.slice(32, 48) };
}

/** As OpenTelemetry's consistent probability sampling decides: whoever keeps less keeps a part of what others keep. */
export function isKept(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(from, to), 16) >= (1 - share) * range;
}
