import { bdSeqOf, births, data } from './message-checks.ts';
import type { WireMetric } from './payload.ts';
import { delivered, events, markAt, type Published, type Sent, sent, type TraceEvent } from './trace.ts';
import { type Check, describeMessage, each, type Verdict } from './verdict.ts';

/** Requirements on the order of messages and on whole sessions of an edge node. */

type Trace = readonly TraceEvent[];

/** Messages by connection, in order; connections that published nothing are left out. */
function byConnection(trace: Trace): readonly (readonly Sent[])[] {
  const found = new Map<number, Sent[]>();
  for (const message of sent(trace)) {
    const messages = found.get(message.at.connection) ?? [];
    messages.push(message);
    found.set(message.at.connection, messages);
  }
  return [...found.values()];
}

/** +1 modulo 256 after the message before it, whatever its type; a birth of the node begins at 0. */
const seqIncrements =
  (...types: readonly string[]): Check =>
  ({ events: trace }) =>
    byConnection(trace).flatMap((messages) => {
      const numbered = messages.filter(({ type }) => type !== 'NDEATH');
      const judged = numbered.map((message, i): readonly [Sent, boolean] => {
        const before = numbered[i - 1]?.payload?.seq ?? -1;
        return [message, message.payload?.seq === (message.type === 'NBIRTH' ? 0 : (before + 1) % 256)];
      });
      return judged.filter(([{ type }]) => types.includes(type)).map(([message, isRight]) => isRight || describeMessage(message));
    });

/** Each message with the birth of the node before it, on its connection. */
function sinceBirth(trace: Trace): readonly { readonly birth: Sent; readonly before: readonly Sent[]; readonly message: Sent }[] {
  return byConnection(trace).flatMap((messages) =>
    messages.flatMap((message, i) => {
      const at = messages.findLastIndex(({ type }, place) => type === 'NBIRTH' && place < i);
      const birth = messages[at];
      return birth === undefined ? [] : [{ birth, before: messages.slice(at, i), message }];
    }),
  );
}

/** No DATA before the births of the node and of every device. */
const dataAfterBirths =
  (...types: readonly string[]): Check =>
  ({ events: trace }) => {
    const devices = new Set(sent(trace, 'DBIRTH').map(({ levels }) => levels[4]));
    return each(
      sinceBirth(trace).filter(({ message }) => types.includes(message.type)),
      ({ before }) => new Set(before.filter(({ type }) => type === 'DBIRTH').map(({ levels }) => levels[4])).size === devices.size,
      ({ message }) => describeMessage(message),
    );
  };

const firstOfConnection: Check = ({ events: trace }) =>
  byConnection(trace).map((messages) => messages[0]?.type === 'NBIRTH' || `a session begins with ${messages[0]?.type}`);

const wills =
  (isRight: (will: Published) => boolean): Check =>
  ({ events: trace }) =>
    events(trace, 'connect').map(({ will }) => (will !== undefined && isRight(will)) || `the will is ${will?.topic} qos ${will?.qos}`);

const bdSeqIncrements: Check = ({ events: trace }) =>
  events(trace, 'connect').map(({ will }, i) => bdSeqOf(will) === i % 256 || `bdSeq ${bdSeqOf(will)} in CONNECT ${i}`);

const bdSeqMatches =
  (type: string): Check =>
  ({ events: trace }) =>
    each(
      sent(trace, type),
      (message) => bdSeqOf(message) === bdSeqOf(events(trace, 'connect').find(({ at }) => at.connection === message.at.connection)?.will),
      describeMessage,
    );

const subscribed =
  (topic: string): Check =>
  ({ events: trace }) =>
    sent(trace, 'NBIRTH').map(({ at, index }) => {
      const filters = events(trace.slice(0, index), 'subscribe').filter((event) => event.at.connection === at.connection);
      const wanted = topic.split('/');
      const isThere = filters
        .flatMap((event) => event.filters)
        .some(({ filter, qos }) => qos === 1 && filter.split('/').every((part, i) => part === '+' || part === wanted[i]));
      return isThere || `${topic} is not subscribed to with QoS 1 before the birth`;
    });

const goodbye: Check = ({ events: trace }) =>
  events(trace, 'disconnect').map(({ at }) => {
    const last = sent(trace).findLast((message) => message.at.connection === at.connection);
    return last?.type === 'NDEATH' || `the last message before DISCONNECT is ${last?.type}`;
  });

/** What DATA carries was declared in the birth before it, by name or by alias. */
const declared =
  (birthType: string, dataType: string): Check =>
  ({ events: trace }) =>
    sinceBirth(trace)
      .filter(({ message }) => message.type === dataType)
      .flatMap(({ before, message }) => {
        const births = before.filter(({ type, levels }) => type === birthType && levels[4] === message.levels[4]);
        const known = births.at(-1)?.payload?.metrics ?? [];
        const isKnown = ({ name, alias }: WireMetric): boolean =>
          known.some((metric) => (name === undefined ? metric.alias === alias : metric.name === name));
        return (message.payload?.metrics ?? []).map(
          (metric) => isKnown(metric) || `${metric.name ?? metric.alias}: ${describeMessage(message)}`,
        );
      });

const aliasOnly: Check = ({ events: trace }) =>
  sinceBirth(trace)
    .filter(({ message }) => data.includes(message.type))
    .flatMap(({ before, message }) => {
      const aliased = new Set(
        before.flatMap(({ payload }) => payload?.metrics ?? []).flatMap(({ name, alias }) => (alias === undefined ? [] : [name])),
      );
      const isRight = ({ name, alias }: WireMetric): boolean => (alias === undefined ? !aliased.has(name) : name === undefined);
      return (message.payload?.metrics ?? []).map((metric) => isRight(metric) || describeMessage(message));
    });

const uniqueAliases: Check = ({ events: trace }) =>
  sent(trace, 'NBIRTH').map((birth) => {
    const same = sinceBirth(trace).filter((entry) => entry.birth.index === birth.index && entry.message.type === 'DBIRTH');
    const latest = new Map(same.map(({ message }) => [message.levels[4], message]));
    const aliases = [birth, ...latest.values()].flatMap(({ payload }) => (payload?.metrics ?? []).flatMap(({ alias }) => alias ?? []));
    return new Set(aliases).size === aliases.length || 'an alias is given twice';
  });

const distinctNames: Check = ({ events: trace }) =>
  each(
    sent(trace, ...births),
    ({ payload }) => {
      const names = (payload?.metrics ?? []).map(({ name }) => name?.toLowerCase());
      return new Set(names).size === names.length;
    },
    describeMessage,
  );

const distinctIds: Check = ({ events: trace }) => {
  const ids = new Set(sent(trace, 'DBIRTH').map(({ levels }) => levels[4] ?? ''));
  return [new Set([...ids].map((id) => id.toLowerCase())).size === ids.size || 'two devices differ by case only'];
};

/** A minute in the time of the scenario, whose clock runs 20 times as fast; a little less. */
const heartbeatMs = 2500;

/** A value that stands still is not sent again, but for a heartbeat. */
const onlyChanges: Check = ({ events: trace }) => {
  const last = new Map<string, { readonly text: string; readonly timeMs: number }>();
  return sent(trace, 'NBIRTH', 'NDATA').flatMap(({ type, payload, at }) =>
    (payload?.metrics ?? []).flatMap((metric): readonly Verdict[] => {
      const { timestamp: _, datatype: __, ...rest } = metric;
      const text = JSON.stringify(rest);
      const before = last.get(metric.name ?? '');
      last.set(metric.name ?? '', { text, timeMs: at.timeMs });
      const isNews = before?.text !== text || at.timeMs - before.timeMs >= heartbeatMs;
      return type === 'NBIRTH' ? [] : [isNews || `${metric.name} is sent although it did not change`];
    }),
  );
};

/** All that the scenario reported arrives. */
const reported: Check = ({ events: trace }) => {
  const counts = new Set(sent(trace, 'DDATA').flatMap(({ payload }) => (payload?.metrics ?? []).map((metric) => metric.long_value)));
  const wanted = [1, 2, 3, 400, 500, 501, ...Array.from({ length: 300 }, (_, i) => 10 + i)];
  return wanted.map((count) => counts.has(count) || `Count ${count} never arrived`);
};

const deviceLost: Check = ({ events: trace }) => {
  const after = sent(trace, 'DDEATH').find(({ index }) => index > markAt(trace, 'device lost'));
  return [after?.levels[4] === 'press' || 'no DDEATH after the device was lost'];
};

/** From the request to the next birth of the node. */
function rebirthOf(trace: Trace): { readonly asked: number; readonly born: Sent | undefined } {
  const asked = delivered(trace, 'NCMD')[0]?.index ?? -1;
  return { asked, born: sent(trace, 'NBIRTH').find(({ index }) => index > asked) };
}

const stopsData: Check = ({ events: trace }) => {
  const { asked, born } = rebirthOf(trace);
  const between = sent(trace, ...data).filter(({ index }) => index > asked && index < (born?.index ?? -1));
  return [born !== undefined || 'no rebirth', ...between.map(describeMessage)];
};

const rebornWhole: Check = ({ events: trace }) => {
  const { born } = rebirthOf(trace);
  const next = sent(trace).filter(({ index }) => born !== undefined && index > born.index && index < born.index + 4);
  return [new Set(next.filter(({ type }) => type === 'DBIRTH').map(({ levels }) => levels[4])).size === 2 || 'a device was not born again'];
};

const rebornAsBefore: Check = ({ events: trace }) => {
  const { born } = rebirthOf(trace);
  const will = events(trace, 'connect').find(({ at }) => at.connection === born?.at.connection)?.will;
  return [(born !== undefined && bdSeqOf(born) === bdSeqOf(will)) || `bdSeq ${bdSeqOf(born)}`];
};

const afterConnack: Check = ({ events: trace }) =>
  each(
    sent(trace, ...births),
    ({ at, index }) => events(trace.slice(0, index), 'connack').some((event) => event.at.connection === at.connection),
    describeMessage,
  );

const afterNodeBirth: Check = ({ events: trace }) =>
  each(sent(trace, 'DBIRTH'), (message) => sinceBirth(trace).some((entry) => entry.message.index === message.index), describeMessage);

export const sessionChecks: Readonly<Record<string, Check>> = {
  'tck-id-principles-birth-certificates-order': firstOfConnection,
  'tck-id-principles-persistence-clean-session-311': ({ events: trace }) =>
    events(trace, 'connect').map(({ isClean, protocolVersion }) => (isClean && protocolVersion === 4) || 'not a clean session'),
  'tck-id-topic-structure-namespace-unique-device-id': distinctIds,
  'tck-id-topics-nbirth-metric-reqs': declared('NBIRTH', 'NDATA'),
  'tck-id-topics-nbirth-bdseq-matching': bdSeqMatches('NBIRTH'),
  'tck-id-topics-nbirth-bdseq-increment': bdSeqIncrements,
  'tck-id-topics-ndata-seq-num': seqIncrements('NDATA'),
  'tck-id-topics-ndata-payload': declared('NBIRTH', 'NDATA'),
  'tck-id-topics-dbirth-seq': seqIncrements('DBIRTH'),
  'tck-id-topics-dbirth-metric-reqs': declared('DBIRTH', 'DDATA'),
  'tck-id-topics-ddata-seq-num': seqIncrements('DDATA'),
  'tck-id-topics-ddata-payload': reported,
  'tck-id-topics-ddeath-seq-num': seqIncrements('DDEATH'),
  'tck-id-case-sensitivity-sparkplug-ids': distinctIds,
  'tck-id-case-sensitivity-metric-names': distinctNames,
  'tck-id-message-flow-edge-node-ncmd-subscribe': subscribed('spBv1.0/plant/NCMD/gateway'),
  'tck-id-message-flow-device-dcmd-subscribe': subscribed('spBv1.0/plant/DCMD/gateway/press'),
  'tck-id-message-flow-edge-node-birth-publish-connect': afterConnack,
  'tck-id-message-flow-edge-node-birth-publish-will-message': wills(() => true),
  'tck-id-message-flow-edge-node-birth-publish-will-message-topic': wills(({ topic }) => topic === 'spBv1.0/plant/NDEATH/gateway'),
  'tck-id-message-flow-edge-node-birth-publish-will-message-payload': wills(({ payload }) => payload !== undefined),
  'tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq': bdSeqIncrements,
  'tck-id-message-flow-edge-node-birth-publish-will-message-qos': wills(({ qos }) => qos === 1),
  'tck-id-message-flow-edge-node-birth-publish-will-message-will-retained': wills(({ retain }) => !retain),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq': bdSeqMatches('NBIRTH'),
  'tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath': goodbye,
  'tck-id-operational-behavior-edge-node-intentional-disconnect-packet': goodbye,
  'tck-id-message-flow-device-birth-publish-nbirth-wait': afterNodeBirth,
  'tck-id-message-flow-device-birth-publish-dbirth-match-edge-node-topic': ({ events: trace }) =>
    sinceBirth(trace)
      .filter(({ message }) => message.type === 'DBIRTH')
      .map(
        ({ birth, message }) =>
          (birth.levels[1] === message.levels[1] && birth.levels[3] === message.levels[3]) || describeMessage(message),
      ),
  'tck-id-message-flow-device-birth-publish-dbirth-payload-seq': seqIncrements('DBIRTH'),
  'tck-id-operational-behavior-device-ddeath': deviceLost,
  'tck-id-operational-behavior-data-publish-nbirth': declared('NBIRTH', 'NDATA'),
  'tck-id-operational-behavior-data-publish-nbirth-change': onlyChanges,
  'tck-id-operational-behavior-data-publish-dbirth': declared('DBIRTH', 'DDATA'),
  'tck-id-operational-behavior-data-commands-rebirth-action-1': stopsData,
  'tck-id-operational-behavior-data-commands-rebirth-action-2': rebornWhole,
  'tck-id-operational-behavior-data-commands-rebirth-action-3': rebornAsBefore,
  'tck-id-payloads-sequence-num-incrementing': seqIncrements('NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'DDEATH'),
  'tck-id-payloads-alias-uniqueness': uniqueAliases,
  'tck-id-payloads-alias-data-cmd-requirement': aliasOnly,
  'tck-id-payloads-nbirth-bdseq-repeat': bdSeqMatches('NBIRTH'),
  'tck-id-payloads-dbirth-seq-inc': seqIncrements('DBIRTH'),
  'tck-id-payloads-dbirth-order': dataAfterBirths('NDATA', 'DDATA'),
  'tck-id-payloads-ndata-seq-inc': seqIncrements('NDATA'),
  'tck-id-payloads-ndata-order': dataAfterBirths('NDATA'),
  'tck-id-payloads-ddata-seq-inc': seqIncrements('DDATA'),
  'tck-id-payloads-ddata-order': dataAfterBirths('DDATA'),
  'tck-id-payloads-ndeath-will-message': wills(({ type }) => type === 'NDEATH'),
  'tck-id-payloads-ndeath-will-message-qos': wills(({ qos }) => qos === 1),
  'tck-id-payloads-ndeath-will-message-retain': wills(({ retain }) => !retain),
  'tck-id-payloads-ndeath-bdseq': bdSeqMatches('NDEATH'),
  'tck-id-payloads-ndeath-will-message-publisher': goodbye,
  'tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311': goodbye,
  'tck-id-payloads-ddeath-seq-inc': seqIncrements('DDEATH'),
};
