import { decode, type WirePayload } from './payload.ts';

/** One MQTT packet between a client and a server, or a step of the scenario, in the order in which they happened. */
export type TraceEvent =
  | {
      readonly kind: 'connect';
      readonly at: Place;
      readonly isClean: boolean;
      readonly protocolVersion: number;
      readonly will: Published | undefined;
    }
  | { readonly kind: 'connack'; readonly at: Place }
  | { readonly kind: 'subscribe'; readonly at: Place; readonly filters: readonly { readonly filter: string; readonly qos: number }[] }
  | { readonly kind: 'suback'; readonly at: Place }
  | { readonly kind: 'publish'; readonly at: Place; readonly direction: 'up' | 'down'; readonly message: Published }
  | { readonly kind: 'disconnect'; readonly at: Place }
  | { readonly kind: 'closed'; readonly at: Place }
  | { readonly kind: 'mark'; readonly name: string };

export interface Place {
  /** Which server, from 0. */
  readonly server: number;
  /** Which connection of the whole trace, from 0. */
  readonly connection: number;
  /** ms UTC. */
  readonly timeMs: number;
}

export interface Published {
  readonly topic: string;
  readonly levels: readonly string[];
  /** NBIRTH, DDATA, STATE, …; '' on other topics. */
  readonly type: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly bytes: Uint8Array;
  /** Undefined when it is no Sparkplug payload. */
  readonly payload: WirePayload | undefined;
}

export interface Sent extends Published {
  readonly at: Place;
  /** Place in the trace. */
  readonly index: number;
}

export interface PublishedPacket {
  readonly topic: string;
  readonly qos?: number | undefined;
  readonly retain?: boolean | undefined;
  readonly payload: string | Uint8Array;
}

export function readPublished({ topic, qos, retain, payload }: PublishedPacket): Published {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const levels = topic.split('/');
  const type = levels[0] === 'spBv1.0' ? ((levels[1] === 'STATE' ? 'STATE' : levels[2]) ?? '') : '';
  return { topic, levels, type, qos: qos ?? 0, retain: retain ?? false, bytes, payload: type === 'STATE' ? undefined : decoded(bytes) };
}

function decoded(bytes: Uint8Array): WirePayload | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** What the client published, of the given types or all, over all its connections. */
export function sent(trace: readonly TraceEvent[], ...types: readonly string[]): readonly Sent[] {
  return published(trace, 'up', types);
}

/** What was delivered to the client. */
export function delivered(trace: readonly TraceEvent[], ...types: readonly string[]): readonly Sent[] {
  return published(trace, 'down', types);
}

function published(trace: readonly TraceEvent[], direction: 'up' | 'down', types: readonly string[]): readonly Sent[] {
  return trace.flatMap((event, index) =>
    event.kind === 'publish' && event.direction === direction && (types.length === 0 || types.includes(event.message.type))
      ? [{ ...event.message, at: event.at, index }]
      : [],
  );
}

export function events<K extends TraceEvent['kind']>(trace: readonly TraceEvent[], kind: K): readonly Extract<TraceEvent, { kind: K }>[] {
  return trace.filter((event): event is Extract<TraceEvent, { kind: K }> => event.kind === kind);
}

/** Place of a step in the trace. Throws when the scenario has no such step. */
export function markAt(trace: readonly TraceEvent[], name: string): number {
  const index = trace.findIndex((event) => event.kind === 'mark' && event.name === name);
  if (index < 0) throw new Error(`the scenario has no step "${name}"`);
  return index;
}
