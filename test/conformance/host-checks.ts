import { connectionOf, type HostTrace } from './host-scenario.ts';
import { delivered, markAt, type Sent, sent } from './trace.ts';
import { describeMessage, each, type Verdict } from './verdict.ts';

/** Requirements on a host application and its MQTT server. */
export type HostCheck = (run: HostTrace) => readonly Verdict[];

const commands =
  (isRight: (message: Sent) => boolean): HostCheck =>
  ({ events }) =>
    each(delivered(events, 'NCMD'), isRight, describeMessage);

const isRebirth = ({ payload }: Sent): boolean => payload?.metrics.length === 1 && payload.metrics[0]?.name === 'Node Control/Rebirth';

interface State {
  readonly online?: unknown;
  readonly timestamp?: unknown;
}

/** Messages of STATE: birth, goodbye, birth after the restart. */
const states =
  (isOnline: boolean, isRight: (state: State, message: Sent, run: HostTrace) => boolean): HostCheck =>
  (run) =>
    delivered(run.events, 'STATE').flatMap((message) => {
      const state = JSON.parse(Buffer.from(message.bytes).toString()) as State;
      return state.online === isOnline ? [isRight(state, message, run) || `${JSON.stringify(state)} on ${message.topic}`] : [];
    });
const isBetween = (time: unknown, fromMs: number, toMs: number): boolean => typeof time === 'number' && time >= fromMs && time <= toMs;
const hasTwoKeys = (state: State): boolean => Object.keys(state).sort().join() === 'online,timestamp';
const birthQos = states(true, (_, { qos }) => qos === 1);
const birthRetained = states(true, (_, { retain }) => retain);
const birthTopic = states(true, (_, { topic }) => topic === 'spBv1.0/STATE/nhip');
const birthPayload = states(
  true,
  (state, _, { startedMs, endedMs }) => hasTwoKeys(state) && isBetween(state.timestamp, startedMs, endedMs),
);
const deathQos = states(false, (_, { qos }) => qos === 1);
const deathTopic = states(false, (_, { topic }) => topic === 'spBv1.0/STATE/nhip');
const deathPayload = states(
  false,
  (state, _, { stoppedMs, restartedMs }) => hasTwoKeys(state) && isBetween(state.timestamp, stoppedMs, restartedMs),
);
const both: HostCheck = (run) => [...birthPayload(run), ...deathPayload(run)];

/** The birth comes before anything else that the host sends, after each start. */
const birthFirst: HostCheck = ({ events }) =>
  [events.slice(0, markAt(events, 'restart')), events.slice(markAt(events, 'restart'))].map(
    (part) => delivered(part)[0]?.type === 'STATE' || `the first message is ${delivered(part)[0]?.topic}`,
  );

const goesOffline =
  (machine: string): HostCheck =>
  ({ stored, events }) => {
    const connection = connectionOf(stored.get('will'), machine);
    const last = sent(events, 'DDATA').findLast(({ levels }) => levels[3] === 'gateway');
    return [
      connection?.v === 'agentOffline' || `${machine} is ${String(connection?.v)}`,
      (connection?.t ?? 0) >= (last?.at.timeMs ?? Number.POSITIVE_INFINITY) || 'not by the clock of the host',
      connectionOf(stored.get('death of an earlier session'), machine)?.v === 'online' || 'a death of an earlier session ended this one',
      connectionOf(stored.get('device death'), machine)?.v === 'plcUnreachable' || 'the DDEATH was not heard',
    ];
  };

const asksAfterGap: HostCheck = ({ events }) => {
  const [gap, unborn] = [markAt(events, 'gap'), markAt(events, 'unborn')];
  return [
    delivered(events.slice(0, gap), 'NCMD').length === 0 || 'a rebirth was asked for although nothing was missing',
    delivered(events.slice(gap, unborn), 'NCMD').length === 1 || 'no rebirth was asked for',
  ];
};

const value = ({ stored }: HostTrace, step: string, machine: string): unknown =>
  stored.get(step)?.find((latest) => latest.machine === machine && latest.metric === 'T')?.v;

const takesBothQos: HostCheck = (run) => [value(run, 'data', 'plant/gateway/press') === 3 || 'values at QoS 0 and 1 did not both arrive'];
const apart: HostCheck = (run) => [
  value(run, 'data', 'plant/gateway/press') === 3 || 'the device of the first node is wrong',
  value(run, 'data', 'plant/other/press') === 78 || 'the device of the second node is wrong',
];
const noImpostor: HostCheck = ({ isImpostorHeard }) => [!isImpostorHeard || 'one node may publish for another'];

export const hostChecks: Readonly<Record<string, HostCheck>> = {
  'tck-id-intro-sparkplug-host-state': both,
  'tck-id-intro-edge-node-id-uniqueness': noImpostor,
  'tck-id-components-ph-state': both,
  'tck-id-topic-structure-namespace-unique-edge-node-descriptor': noImpostor,
  'tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node': apart,
  'tck-id-topics-ncmd-topic': commands(({ topic }) => /^spBv1\.0\/plant\/NCMD\/(gateway|unborn)$/.test(topic)),
  'tck-id-topics-ncmd-mqtt': commands(({ qos, retain }) => qos === 0 && !retain),
  'tck-id-topics-ncmd-timestamp': commands(({ payload, at }) => Math.abs((payload?.timestamp ?? 0) - at.timeMs) < 5000),
  'tck-id-topics-ncmd-payload': commands(isRebirth),
  'tck-id-host-topic-phid-birth-message': birthFirst,
  'tck-id-host-topic-phid-birth-qos': birthQos,
  'tck-id-host-topic-phid-birth-retain': birthRetained,
  'tck-id-host-topic-phid-birth-topic': birthTopic,
  'tck-id-host-topic-phid-birth-payload': birthPayload,
  'tck-id-host-topic-phid-death-qos': deathQos,
  'tck-id-host-topic-phid-death-topic': deathTopic,
  'tck-id-host-topic-phid-death-payload': deathPayload,
  'tck-id-host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet': deathPayload,
  'tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline': goesOffline('plant/gateway/press'),
  'tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline': goesOffline('plant/gateway/press'),
  'tck-id-operational-behavior-host-reordering-rebirth': asksAfterGap,
  'tck-id-operational-behavior-primary-application-state-with-multiple-servers-state': birthFirst,
  'tck-id-operational-behavior-host-application-connect-birth': birthFirst,
  'tck-id-operational-behavior-host-application-connect-birth-topic': birthTopic,
  'tck-id-operational-behavior-host-application-connect-birth-qos': birthQos,
  'tck-id-operational-behavior-host-application-connect-birth-retained': birthRetained,
  'tck-id-operational-behavior-host-application-termination': deathPayload,
  'tck-id-operational-behavior-host-application-death-topic': deathTopic,
  'tck-id-operational-behavior-host-application-death-payload': deathPayload,
  'tck-id-operational-behavior-host-application-death-qos': deathQos,
  'tck-id-operational-behavior-data-commands-ncmd-rebirth-verb': commands(isRebirth),
  'tck-id-operational-behavior-data-commands-ncmd-rebirth-name': commands(isRebirth),
  'tck-id-operational-behavior-data-commands-ncmd-rebirth-value': commands(({ payload }) => payload?.metrics[0]?.boolean_value === true),
  'tck-id-operational-behavior-data-commands-ncmd-verb': commands(({ levels }) => levels[2] === 'NCMD'),
  'tck-id-operational-behavior-data-commands-ncmd-metric-name': commands(isRebirth),
  'tck-id-operational-behavior-data-commands-ncmd-metric-value': commands(({ payload }) => payload?.metrics[0]?.value === 'boolean_value'),
  'tck-id-payloads-name-cmd-requirement': commands(({ payload }) => payload?.metrics[0]?.timestamp !== undefined),
  'tck-id-payloads-nbirth-edge-node-descriptor': noImpostor,
  'tck-id-payloads-ncmd-timestamp': commands(({ payload, at }) => Math.abs((payload?.timestamp ?? 0) - at.timeMs) < 5000),
  'tck-id-payloads-ncmd-seq': commands(({ payload }) => payload !== undefined && payload.seq === undefined),
  'tck-id-payloads-ncmd-qos': commands(({ qos }) => qos === 0),
  'tck-id-payloads-ncmd-retain': commands(({ retain }) => !retain),
  'tck-id-payloads-state-birth': (run) => [...birthQos(run), ...birthRetained(run)],
  'tck-id-conformance-primary-host': both,
  'tck-id-conformance-mqtt-qos0': (run) => [...takesBothQos(run), ...commands(({ qos }) => qos === 0)(run)],
  'tck-id-conformance-mqtt-qos1': (run) => [...takesBothQos(run), ...birthQos(run)],
};
