import { WireError } from './wire-error.ts';

/**
 * Topics that Nhịp takes part in (Sparkplug 3.0 §4; JSON lane of our own):
 *   spBv1.0/<group>/<type>/<edge>[/<device>]      spBv1.0/STATE/<host>      json/<group>/<edge>/<device>[/<metric>]
 */
export const messageTypes = ['NBIRTH', 'NDEATH', 'DBIRTH', 'DDEATH', 'NDATA', 'DDATA', 'NCMD', 'DCMD'] as const;
export type MessageType = (typeof messageTypes)[number];

export interface SparkplugTopic {
  readonly lane: 'sparkplug';
  readonly type: MessageType;
  readonly group: string;
  readonly edge: string;
  /** '' for node messages. */
  readonly device: string;
}

export interface JsonTopic {
  readonly lane: 'json';
  readonly group: string;
  readonly edge: string;
  readonly device: string;
  /** Metric of a bare value; '' when the payload carries `values`. May contain `/`. */
  readonly metric: string;
}

/** One id: printable, no MQTT wildcard, no separator, no `.` or `..`, which would be other folders and other addresses. */
const idPattern = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/;

/** Whether a text can be a group, edge or device id. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** Parses a telemetry topic. Throws WireError that names the wrong level. */
export function parseTopic(topic: string): SparkplugTopic | JsonTopic {
  const levels = topic.split('/');
  if (levels[0] === 'spBv1.0') return parseSparkplug(topic, levels);
  if (levels[0] === 'json') return parseJson(topic, levels);
  throw wrong(topic, 'it must start with spBv1.0/ or json/');
}

function parseSparkplug(topic: string, levels: readonly string[]): SparkplugTopic {
  const [, group = '', type = '', edge = '', device] = levels;
  if (!isMessageType(type)) throw wrong(topic, `"${type}" is not a Sparkplug message type`);
  const wantsDevice = type.startsWith('D');
  if (levels.length !== (wantsDevice ? 5 : 4))
    throw wrong(topic, `${type} needs ${wantsDevice ? 'group, edge and device' : 'group and edge'}`);
  for (const id of levels.slice(1))
    if (!isId(id)) throw wrong(topic, `"${id.slice(0, 80)}" is not an id (letters, digits, _ . -, at most 64)`);
  return { lane: 'sparkplug', type, group, edge, device: device ?? '' };
}

function parseJson(topic: string, levels: readonly string[]): JsonTopic {
  const [, group = '', edge = '', device = '', ...metric] = levels;
  for (const id of [group, edge, device])
    if (!isId(id)) throw wrong(topic, `"${id.slice(0, 80)}" is not an id (letters, digits, _ . -, at most 64)`);
  if (metric.some((level) => level === '') || metric.join('/').length > 256)
    throw wrong(topic, 'the metric name is empty or longer than 256');
  return { lane: 'json', group, edge, device, metric: metric.join('/') };
}

export function sparkplugTopic(group: string, type: MessageType, edge: string, device = ''): string {
  return device === '' ? `spBv1.0/${group}/${type}/${edge}` : `spBv1.0/${group}/${type}/${edge}/${device}`;
}

function isMessageType(text: string): text is MessageType {
  return (messageTypes as readonly string[]).includes(text);
}

function wrong(topic: string, why: string): WireError {
  return new WireError('wire.topic', `topic "${topic.slice(0, 200)}": ${why}`);
}
