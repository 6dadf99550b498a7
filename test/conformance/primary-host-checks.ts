import { events, markAt, sent, type TraceEvent } from './trace.ts';
import type { Check, Verdict } from './verdict.ts';

/** Requirements on an edge node that waits for a primary host; for the scenario with two servers. */

type Trace = readonly TraceEvent[];

/** No birth before the step, one after it. */
function birthOnlyAfter(trace: Trace, step: string, server: number): readonly Verdict[] {
  const births = sent(trace, 'NBIRTH').filter(({ at }) => at.server === server);
  return births.map(({ index }) => index > markAt(trace, step) || `a birth before "${step}"`);
}

const waits: Check = ({ events: trace }) => [
  ...birthOnlyAfter(trace, 'main online', 0),
  ...birthOnlyAfter(trace, 'main online on the second server', 1),
];

/** NDEATH, DISCONNECT, end: in this order, on the first server, after the host said that it is offline. */
const leaves: Check = ({ events: trace }) => {
  const after = trace.slice(markAt(trace, 'main offline'));
  const steps = after.flatMap((event) => {
    if (event.kind === 'publish' && event.direction === 'up') return [event.message.type];
    return event.kind === 'disconnect' || event.kind === 'closed' ? [event.kind] : [];
  });
  return [steps.slice(0, 3).join() === 'NDEATH,disconnect,closed' || `after "offline" came ${steps.slice(0, 3).join()}`];
};

const staysForAnOldTime: Check = ({ events: trace }) => {
  const [from, to] = [markAt(trace, 'late will'), markAt(trace, 'main offline')];
  const between = trace.slice(from, to);
  return [
    !between.some(({ kind }) => kind === 'closed' || kind === 'disconnect') || 'the session ended at an old offline message',
    sent(between, 'DDATA').length > 0 || 'no data after the old offline message',
  ];
};

const walks: Check = ({ events: trace }) => {
  const servers = events(trace, 'connect').map(({ at }) => at.server);
  return [servers.join() === '0,1' || `servers in the order ${servers.join()}`];
};

const oneAtATime: Check = ({ events: trace }) => {
  let open = 0;
  return trace.flatMap((event): readonly Verdict[] => {
    if (event.kind === 'closed') open--;
    if (event.kind !== 'connect') return [];
    open++;
    return [open === 1 || 'connected to two servers'];
  });
};

const subscribesToState: Check = ({ events: trace }) =>
  [0, 1].map((server) => {
    const filters = events(trace, 'subscribe').filter(({ at }) => at.server === server);
    const isThere = filters.flatMap((event) => event.filters).some(({ filter, qos }) => filter === 'spBv1.0/STATE/main' && qos === 1);
    return isThere || `no subscription to STATE on server ${server}`;
  });

export const primaryHostChecks: Readonly<Record<string, Check>> = {
  'tck-id-message-flow-edge-node-birth-publish-phid-wait': waits,
  'tck-id-message-flow-edge-node-birth-publish-phid-wait-id': waits,
  'tck-id-message-flow-edge-node-birth-publish-phid-wait-online': waits,
  'tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp': waits,
  'tck-id-message-flow-edge-node-birth-publish-phid-offline': leaves,
  'tck-id-operational-behavior-edge-node-termination-host-offline': leaves,
  'tck-id-operational-behavior-edge-node-termination-host-offline-reconnect': walks,
  'tck-id-operational-behavior-edge-node-termination-host-offline-timestamp': staysForAnOldTime,
  'tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs': subscribesToState,
  'tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server': oneAtATime,
  'tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk': walks,
  'tck-id-operational-behavior-edge-node-birth-sequence-wait': waits,
};
