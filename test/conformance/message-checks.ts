import { type WireMetric, type WireProperty, wireValue } from './payload.ts';
import { type Sent, sent } from './trace.ts';
import { type Check, describeMessage, each, every } from './verdict.ts';

/** Requirements on single messages of an edge node: topic, QoS, retain, payload. The table says which id asks for which. */

export const births = ['NBIRTH', 'DBIRTH'];
export const data = ['NDATA', 'DDATA'];
const all = ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'NDEATH', 'DDEATH'];
const timed = ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'DDEATH'];

const metricsOf = (message: Sent): readonly WireMetric[] => message.payload?.metrics ?? [];

const topicOf =
  (...types: readonly string[]): Check =>
  ({ events }) =>
    each(
      sent(events, ...types),
      ({ levels, type }) =>
        levels[0] === 'spBv1.0' && levels[1] === 'plant' && levels[3] === 'gateway' && levels.length === (type.startsWith('D') ? 5 : 4),
      describeMessage,
    );
const isPlain = (text: string | undefined): boolean => text !== undefined && text !== '' && !/[+#/\u0000]|\ufffd/.test(text);
const level = (place: number, types: readonly string[] = all): Check => every(types, ({ levels }) => isPlain(levels[place]));
const device: Check = level(4, ['DBIRTH', 'DDATA', 'DDEATH']);

const qos = (types: readonly string[], wanted: number): Check => every(types, (message) => message.qos === wanted);
const unretained = (types: readonly string[]): Check => every(types, ({ retain }) => !retain);
const qosAndRetain = (type: string): Check => every([type], (message) => message.qos === 0 && !message.retain);

/** A time of day that fits when the message was seen: UTC, and not the time of something else. */
const isNow = (timestamp: number | undefined, seenMs: number): boolean =>
  timestamp !== undefined && Number.isSafeInteger(timestamp) && Math.abs(seenMs - timestamp) < 5000;
const timestamp = (...types: readonly string[]): Check => every(types, ({ payload, at }) => isNow(payload?.timestamp, at.timeMs));

const metrics =
  (types: readonly string[], isRight: (metric: WireMetric, message: Sent) => boolean): Check =>
  ({ events }) =>
    sent(events, ...types).flatMap((message) =>
      metricsOf(message).map(
        (metric) => isRight(metric, message) || `${metric.name ?? `alias ${metric.alias}`}: ${describeMessage(message)}`,
      ),
    );

const named = (type: string, name: string, isRight: (metric: WireMetric) => boolean): Check =>
  every([type], (message) => {
    const found = metricsOf(message).filter((metric) => metric.name === name);
    return found.length === 1 && found.every(isRight);
  });
const bdSeq = named('NBIRTH', 'bdSeq', (metric) => metric.datatype === 4 && metric.value === 'long_value');
const rebirth = named('NBIRTH', 'Node Control/Rebirth', (metric) => metric.datatype === 11 && metric.boolean_value === false);
const hasValue = (metric: WireMetric): boolean => (metric.is_null === true) !== (metric.value !== undefined);
const isDefined = (metric: WireMetric): boolean => metric.name !== undefined && metric.datatype !== undefined && hasValue(metric);

/** Non-historical values stand in the order of their times. */
const inOrder = (...types: readonly string[]): Check =>
  every(types, (message) => {
    const times = metricsOf(message)
      .filter((metric) => metric.is_historical !== true)
      .map((metric) => metric.timestamp ?? 0);
    return times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0));
  });

const seqRange = (...types: readonly string[]): Check =>
  every(types, ({ payload }) => payload?.seq !== undefined && payload.seq >= 0 && payload.seq <= 255);
const noSeq: Check = every(['NDEATH'], ({ payload }) => payload !== undefined && payload.seq === undefined);

const properties =
  (
    types: readonly string[],
    isRight: (set: { readonly keys: readonly string[]; readonly values: readonly WireProperty[] }) => boolean,
  ): Check =>
  ({ events }) =>
    sent(events, ...types).flatMap((message) =>
      metricsOf(message).flatMap(({ properties: set }) =>
        set === undefined ? [] : [isRight({ keys: set.keys ?? [], values: set.values ?? [] }) || describeMessage(message)],
      ),
    );
const sameLength = properties([...births, ...data], ({ keys, values }) => keys.length === values.length);
const quality =
  (isRight: (value: WireProperty) => boolean): Check =>
  (trace) =>
    properties([...births, ...data], ({ keys, values }) => keys.every((key, i) => key !== 'Quality' || isRight(values[i] ?? {})))(trace);

const onlyBdSeq = every(['NDEATH'], (message) => metricsOf(message).length === 1 && metricsOf(message)[0]?.name === 'bdSeq');

export const messageChecks: Readonly<Record<string, Check>> = {
  'tck-id-intro-group-id-string': level(1),
  'tck-id-intro-group-id-chars': level(1),
  'tck-id-intro-edge-node-id-string': level(3),
  'tck-id-intro-edge-node-id-chars': level(3),
  'tck-id-intro-device-id-string': device,
  'tck-id-intro-device-id-chars': device,
  'tck-id-topic-structure': topicOf(...all),
  'tck-id-topic-structure-namespace-a': every(all, ({ levels }) => levels[0] === 'spBv1.0'),
  'tck-id-topic-structure-namespace-valid-group-id': level(1),
  'tck-id-topic-structure-namespace-valid-edge-node-id': level(3),
  'tck-id-topic-structure-namespace-valid-device-id': device,
  'tck-id-topic-structure-namespace-device-id-associated-message-types': every(
    ['DBIRTH', 'DDATA', 'DDEATH'],
    ({ levels }) => levels.length === 5,
  ),
  'tck-id-topic-structure-namespace-device-id-non-associated-message-types': every(
    ['NBIRTH', 'NDATA', 'NDEATH'],
    ({ levels }) => levels.length === 4,
  ),
  'tck-id-topics-nbirth-topic': topicOf('NBIRTH'),
  'tck-id-topics-nbirth-mqtt': qosAndRetain('NBIRTH'),
  'tck-id-topics-nbirth-seq-num': every(['NBIRTH'], ({ payload }) => payload?.seq === 0),
  'tck-id-topics-nbirth-timestamp': timestamp('NBIRTH'),
  'tck-id-topics-nbirth-metrics': metrics(['NBIRTH'], isDefined),
  'tck-id-topics-nbirth-bdseq-included': bdSeq,
  'tck-id-topics-nbirth-rebirth-metric': rebirth,
  'tck-id-topics-ndata-topic': topicOf('NDATA'),
  'tck-id-topics-ndata-mqtt': qosAndRetain('NDATA'),
  'tck-id-topics-ndata-timestamp': timestamp('NDATA'),
  'tck-id-topics-ndeath-topic': topicOf('NDEATH'),
  'tck-id-topics-ndeath-payload': onlyBdSeq,
  'tck-id-topics-ndeath-seq': noSeq,
  'tck-id-topics-dbirth-topic': topicOf('DBIRTH'),
  'tck-id-topics-dbirth-mqtt': qosAndRetain('DBIRTH'),
  'tck-id-topics-dbirth-timestamp': timestamp('DBIRTH'),
  'tck-id-topics-dbirth-metrics': metrics(['DBIRTH'], isDefined),
  'tck-id-topics-ddata-topic': topicOf('DDATA'),
  'tck-id-topics-ddata-mqtt': qosAndRetain('DDATA'),
  'tck-id-topics-ddata-timestamp': timestamp('DDATA'),
  'tck-id-topics-ddeath-topic': topicOf('DDEATH'),
  'tck-id-topics-ddeath-mqtt': qosAndRetain('DDEATH'),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-topic': topicOf('NBIRTH'),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-payload': every(['NBIRTH'], ({ payload }) => payload !== undefined),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-qos': qos(['NBIRTH'], 0),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-retained': unretained(['NBIRTH']),
  'tck-id-message-flow-edge-node-birth-publish-nbirth-payload-seq': seqRange('NBIRTH'),
  'tck-id-message-flow-device-birth-publish-dbirth-topic': topicOf('DBIRTH'),
  'tck-id-message-flow-device-birth-publish-dbirth-payload': every(['DBIRTH'], ({ payload }) => payload !== undefined),
  'tck-id-message-flow-device-birth-publish-dbirth-qos': qos(['DBIRTH'], 0),
  'tck-id-message-flow-device-birth-publish-dbirth-retained': unretained(['DBIRTH']),
  'tck-id-operational-behavior-data-publish-nbirth-values': metrics(['NBIRTH'], hasValue),
  'tck-id-operational-behavior-data-publish-nbirth-order': inOrder('NBIRTH', 'NDATA'),
  'tck-id-operational-behavior-data-publish-dbirth-values': metrics(['DBIRTH'], hasValue),
  'tck-id-operational-behavior-data-publish-dbirth-order': inOrder('DBIRTH', 'DDATA'),
  'tck-id-operational-behavior-data-commands-rebirth-name': rebirth,
  'tck-id-operational-behavior-data-commands-rebirth-name-aliases': named(
    'NBIRTH',
    'Node Control/Rebirth',
    ({ alias }) => alias === undefined,
  ),
  'tck-id-operational-behavior-data-commands-rebirth-datatype': rebirth,
  'tck-id-operational-behavior-data-commands-rebirth-value': rebirth,
  'tck-id-payloads-timestamp-in-UTC': timestamp(...timed),
  'tck-id-payloads-sequence-num-always-included': seqRange(...timed),
  'tck-id-payloads-sequence-num-req-nbirth': seqRange('NBIRTH'),
  'tck-id-payloads-name-requirement': metrics([...births, ...data], ({ name, alias }) => name !== undefined || alias !== undefined),
  'tck-id-payloads-alias-birth-requirement': metrics(births, ({ name }) => name !== undefined),
  'tck-id-payloads-name-birth-data-requirement': metrics([...births, ...data], (metric) => metric.timestamp !== undefined),
  'tck-id-payloads-metric-timestamp-in-UTC': metrics(
    [...births, ...data],
    (metric, { at }) => metric.is_historical === true || Math.abs(at.timeMs - (metric.timestamp ?? 0)) < 60_000,
  ),
  'tck-id-payloads-metric-datatype-value-type': metrics(births, ({ datatype }) => Number.isInteger(datatype)),
  'tck-id-payloads-metric-datatype-value': metrics(births, ({ datatype = 0 }) => datatype >= 1 && datatype <= 34),
  'tck-id-payloads-metric-datatype-req': metrics(births, ({ datatype }) => datatype !== undefined),
  'tck-id-payloads-metric-datatype-not-req': metrics(data, ({ datatype }) => datatype === undefined),
  'tck-id-payloads-propertyset-keys-array-size': sameLength,
  'tck-id-payloads-propertyset-values-array-size': sameLength,
  'tck-id-payloads-metric-propertyvalue-type-type': properties([...births, ...data], ({ values }) =>
    values.every(({ type }) => Number.isInteger(type)),
  ),
  'tck-id-payloads-metric-propertyvalue-type-value': properties([...births, ...data], ({ values }) =>
    values.every(({ type = 0 }) => type >= 1 && type <= 22),
  ),
  'tck-id-payloads-metric-propertyvalue-type-req': properties(births, ({ values }) => values.every(({ type }) => type !== undefined)),
  'tck-id-payloads-propertyset-quality-value-type': quality(({ type }) => type === 3),
  'tck-id-payloads-propertyset-quality-value-value': quality(
    ({ value, int_value = -1 }) => value === 'int_value' && [0, 192, 500].includes(int_value),
  ),
  'tck-id-payloads-nbirth-timestamp': timestamp('NBIRTH'),
  'tck-id-payloads-nbirth-seq': seqRange('NBIRTH'),
  'tck-id-payloads-nbirth-bdseq': bdSeq,
  'tck-id-payloads-nbirth-rebirth-req': rebirth,
  'tck-id-payloads-nbirth-qos': qos(['NBIRTH'], 0),
  'tck-id-payloads-nbirth-retain': unretained(['NBIRTH']),
  'tck-id-payloads-dbirth-timestamp': timestamp('DBIRTH'),
  'tck-id-payloads-dbirth-seq': seqRange('DBIRTH'),
  'tck-id-payloads-dbirth-qos': qos(['DBIRTH'], 0),
  'tck-id-payloads-dbirth-retain': unretained(['DBIRTH']),
  'tck-id-payloads-ndata-timestamp': timestamp('NDATA'),
  'tck-id-payloads-ndata-seq': seqRange('NDATA'),
  'tck-id-payloads-ndata-qos': qos(['NDATA'], 0),
  'tck-id-payloads-ndata-retain': unretained(['NDATA']),
  'tck-id-payloads-ddata-timestamp': timestamp('DDATA'),
  'tck-id-payloads-ddata-seq': seqRange('DDATA'),
  'tck-id-payloads-ddata-qos': qos(['DDATA'], 0),
  'tck-id-payloads-ddata-retain': unretained(['DDATA']),
  'tck-id-payloads-ndeath-seq': noSeq,
  'tck-id-payloads-ddeath-timestamp': timestamp('DDEATH'),
  'tck-id-payloads-ddeath-seq': seqRange('DDEATH'),
  'tck-id-payloads-ddeath-seq-number': seqRange('DDEATH'),
};

/** Of the metrics of a message, by name. */
export function metricNamed(message: Sent | undefined, name: string): WireMetric | undefined {
  return message === undefined ? undefined : metricsOf(message).find((metric) => metric.name === name);
}

export function bdSeqOf(message: { readonly payload: Sent['payload'] } | undefined): unknown {
  return wireValue(message?.payload?.metrics.find(({ name }) => name === 'bdSeq'));
}
