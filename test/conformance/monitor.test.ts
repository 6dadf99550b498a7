import { beforeAll, describe, expect, it } from 'vitest';
import { type EdgeTrace, liveThrough } from './edge-scenario.ts';
import { messageChecks } from './message-checks.ts';
import type { WireMetric, WirePayload } from './payload.ts';
import { sessionChecks } from './session-checks.ts';
import type { Published, TraceEvent } from './trace.ts';
import { problems } from './verdict.ts';

/** The monitor must be able to fail: a good trace, damaged in one place, breaks the requirements that the damage is about. */

type Damage = (message: Published) => Published;

const payload =
  (change: (payload: WirePayload) => WirePayload): Damage =>
  (message) => ({ ...message, payload: message.payload === undefined ? undefined : change(message.payload) });
const metrics = (change: (metric: WireMetric) => WireMetric): Damage =>
  payload((whole) => ({ ...whole, metrics: whole.metrics.map(change) }));

const damages: readonly (readonly [what: string, type: string, Damage, ids: readonly string[]])[] = [
  ['QoS 1', 'NBIRTH', (message) => ({ ...message, qos: 1 }), ['topics-nbirth-mqtt', 'payloads-nbirth-qos']],
  ['retained', 'DDATA', (message) => ({ ...message, retain: true }), ['topics-ddata-mqtt', 'payloads-ddata-retain']],
  [
    'another topic',
    'DDEATH',
    (message) => ({ ...message, levels: message.levels.slice(0, 4) }),
    ['topics-ddeath-topic', 'topic-structure'],
  ],
  ['no time', 'DBIRTH', payload(({ timestamp: _, ...rest }) => rest), ['topics-dbirth-timestamp', 'payloads-timestamp-in-UTC']],
  ['seconds instead of ms', 'NDATA', payload((whole) => ({ ...whole, timestamp: 1_700_000_000 })), ['topics-ndata-timestamp']],
  ['no seq', 'DDEATH', payload(({ seq: _, ...rest }) => rest), ['topics-ddeath-seq-num', 'payloads-sequence-num-always-included']],
  ['a repeated seq', 'NDATA', payload((whole) => ({ ...whole, seq: 1 })), ['topics-ndata-seq-num', 'payloads-sequence-num-incrementing']],
  ['a seq', 'NDEATH', payload((whole) => ({ ...whole, seq: 0 })), ['topics-ndeath-seq', 'payloads-ndeath-seq']],
  [
    'another bdSeq',
    'NBIRTH',
    metrics((metric) => (metric.name === 'bdSeq' ? { ...metric, long_value: 99 } : metric)),
    ['topics-nbirth-bdseq-matching'],
  ],
  [
    'Rebirth with an alias',
    'NBIRTH',
    metrics((metric) => ({ ...metric, alias: 7 })),
    ['operational-behavior-data-commands-rebirth-name-aliases'],
  ],
  ['no types', 'DBIRTH', metrics(({ datatype: _, ...rest }) => rest), ['payloads-metric-datatype-req', 'topics-dbirth-metrics']],
  ['types', 'DDATA', metrics((metric) => ({ ...metric, datatype: 10 })), ['payloads-metric-datatype-not-req']],
  ['no times of metrics', 'DDATA', metrics(({ timestamp: _, ...rest }) => rest), ['payloads-name-birth-data-requirement']],
  ['names beside aliases', 'DDATA', metrics((metric) => ({ ...metric, name: 'Count' })), ['payloads-alias-data-cmd-requirement']],
  ['an unknown alias', 'DDATA', metrics((metric) => ({ ...metric, alias: 4711 })), ['topics-dbirth-metric-reqs']],
  ['one alias for all', 'DBIRTH', metrics((metric) => ({ ...metric, alias: 1 })), ['payloads-alias-uniqueness']],
  [
    'times backwards',
    'DBIRTH',
    metrics((metric) => ({ ...metric, timestamp: Date.now() - (metric.alias ?? 0) })),
    ['operational-behavior-data-publish-dbirth-order'],
  ],
];

const checks = { ...messageChecks, ...sessionChecks };

describe('the monitor', () => {
  let good: EdgeTrace;
  beforeAll(async () => {
    good = await liveThrough(true);
  });

  const damaged = (change: (event: TraceEvent) => readonly TraceEvent[]): EdgeTrace => ({ ...good, events: good.events.flatMap(change) });
  const expectBroken = (trace: EdgeTrace, ids: readonly string[]): void => {
    for (const id of ids) {
      const check = checks[`tck-id-${id}`];
      expect(check && problems(check, good), id).toEqual([]);
      expect(check && problems(check, trace), id).not.toEqual([]);
    }
  };

  it.each(damages)('notices: %s in %s', (_, type, damage, ids) => {
    const change = (event: TraceEvent): TraceEvent =>
      event.kind === 'publish' && event.direction === 'up' && event.message.type === type
        ? { ...event, message: damage(event.message) }
        : event;
    expectBroken(
      damaged((event) => [change(event)]),
      ids,
    );
  });

  it('notices what is missing: will, subscription, births, goodbye', () => {
    const without = (isGone: (event: TraceEvent) => boolean): EdgeTrace => damaged((event) => (isGone(event) ? [] : [event]));
    const publishes = (event: TraceEvent, type: string): boolean => event.kind === 'publish' && event.message.type === type;
    expectBroken(
      damaged((event) => [event.kind === 'connect' ? { ...event, will: undefined, isClean: false } : event]),
      ['message-flow-edge-node-birth-publish-will-message', 'principles-persistence-clean-session-311', 'topics-nbirth-bdseq-increment'],
    );
    expectBroken(
      without((event) => event.kind === 'subscribe'),
      ['message-flow-edge-node-ncmd-subscribe', 'message-flow-device-dcmd-subscribe'],
    );
    expectBroken(
      without((event) => publishes(event, 'NBIRTH')),
      ['principles-birth-certificates-order'],
    );
    expectBroken(
      without((event) => publishes(event, 'NDEATH')),
      ['operational-behavior-edge-node-intentional-disconnect-ndeath'],
    );
    expectBroken(
      without((event) => publishes(event, 'DDEATH')),
      ['operational-behavior-device-ddeath'],
    );
  });
});
