import { WireError } from '../wire-error.ts';

/** What a host application says of itself on `spBv1.0/STATE/<host id>` (Sparkplug 3.0 §6.4.21): JSON, retained, QoS 1. */
export interface HostState {
  readonly isOnline: boolean;
  /** ms UTC of the host's CONNECT, or of its goodbye. */
  readonly timestampMs: number;
}

export function hostStateTopic(hostId: string): string {
  return `spBv1.0/STATE/${hostId}`;
}

export function encodeHostState({ isOnline, timestampMs }: HostState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ online: isOnline, timestamp: timestampMs }));
}

/** A STATE message is two short fields; what is longer is none. */
const maxBytes = 1024;

/** Throws WireError when it is not the JSON of Sparkplug 3.0; names the text that hosts of Sparkplug 2.2 send. */
export function decodeHostState(payload: Uint8Array): HostState {
  const text = new TextDecoder().decode(payload.subarray(0, maxBytes));
  if (text === 'ONLINE' || text === 'OFFLINE') {
    throw new WireError('wire.malformed', `the host says "${text}" as Sparkplug 2.2 does; STATE of Sparkplug 3.0 is JSON`);
  }
  const { online, timestamp } = parseObject(payload.length > maxBytes ? '' : text);
  if (typeof online !== 'boolean' || typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new WireError('wire.malformed', 'STATE must be JSON with a boolean "online" and a "timestamp" in ms');
  }
  return { isOnline: online, timestampMs: timestamp };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
