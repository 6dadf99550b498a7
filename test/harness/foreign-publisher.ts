import { randomBytes } from 'node:crypto';
import { connectAsync } from 'mqtt';
import { get } from 'sparkplug-payload';
import type { ServedValue } from '../checker/evidence.ts';
import { addDevice, type DataFolder } from './plant.ts';

type Sparkplug = NonNullable<ReturnType<typeof get>>;
export type ForeignMetric = NonNullable<Parameters<Sparkplug['encodePayload']>[0]['metrics']>[number];

/** A publisher that is not ours: MQTT.js and Eclipse Tahu's payload library, with credentials of its own. */
export interface ForeignPublisher {
  /** `<group>/<edge>` */
  readonly id: string;
  /** QoS 1: resolves at the PUBACK. */
  publish(topic: string, payload: Uint8Array | string): Promise<void>;
  /** A Sparkplug B message of this edge, e.g. `send('DDATA', 'D1', 3, [...])`. */
  send(type: string, device: string, seq: number, metrics: readonly ForeignMetric[]): Promise<void>;
  /** Notes a value that will be sent: it must be in the store or be counted. Returns the value. */
  serve(device: string, metric: string, value: number): number;
  readonly served: readonly ServedValue[];
  /** Commands that arrived. */
  commands(): number;
  close(): Promise<void>;
}

export async function createForeignPublisher(data: DataFolder, id: string, mqttPort: number): Promise<ForeignPublisher> {
  const sparkplug = get('spBv1.0');
  if (sparkplug === null) throw new Error('sparkplug-payload does not know spBv1.0');
  const [group = '', edge = ''] = id.split('/');
  const { username, password } = await addDevice(data, id);
  const served: ServedValue[] = [];
  let commands = 0;
  const client = await connectAsync({
    host: '127.0.0.1',
    port: mqttPort,
    username,
    password,
    clientId: `foreign-${randomBytes(4).toString('hex')}`,
    reconnectPeriod: 300,
  });
  client.on('error', () => undefined);
  client.on('message', () => {
    commands++;
  });
  await client.subscribeAsync(`spBv1.0/${group}/NCMD/${edge}`);
  const publish = async (topic: string, payload: Uint8Array | string): Promise<void> => {
    await client.publishAsync(topic, typeof payload === 'string' ? payload : Buffer.from(payload), { qos: 1 });
  };
  return {
    id,
    publish,
    send: (type, device, seq, metrics) =>
      publish(
        ['spBv1.0', group, type, edge, ...(device === '' ? [] : [device])].join('/'),
        sparkplug.encodePayload({ timestamp: Date.now(), seq, metrics: [...metrics] }),
      ),
    serve(device, metric, value) {
      served.push({ series: `${id}/${device} ${metric}`, value, atMs: Date.now() });
      return value;
    },
    served,
    commands: () => commands,
    close: () => client.endAsync(true),
  };
}
