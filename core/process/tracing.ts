import type { OutboxIdentity } from '../wire/outbox-identity.ts';

/**
 * Traces of samples on their way from the edge to the store. Nothing is handed on with a message: every role derives the same trace from
 * the identity that the edge's outbox gave to the record, and the same decision whether it is followed.
 *
 * Roles get it as an optional dependency. Without it they must do nothing at all for it: no clock is read, nothing is allocated.
 */
export interface Tracing {
  /** The trace of the record with this identity; undefined when it is not one of those that are followed. */
  traceOf(identity: OutboxIdentity): string | undefined;
  /** Adds one stretch of its way; never throws and never waits. Times in ms UTC. */
  add(trace: string, stretch: Stretch): void;
}

export interface Stretch {
  /**
   * `edge.outbox`: taken from a driver → durable on the edge. `edge.publish`: sent → acknowledged. `broker.append`: received → durable in
   * the log. `ingest.store`: decoded → durable in the store.
   */
  readonly name: 'edge.outbox' | 'edge.publish' | 'broker.append' | 'ingest.store';
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}
