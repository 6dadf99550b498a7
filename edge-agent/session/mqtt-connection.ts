import { connect } from 'mqtt';
import type { ConnectMqtt, MqttConnection } from './connection.ts';

export interface MqttConnectionConfig {
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  /** PEM; the CAs of the system when undefined. */
  readonly ca: string | undefined;
  readonly keepaliveS: number;
  /** How long a broker may take to answer the CONNECT. */
  readonly connectTimeoutMs: number;
}

/** Connections over a real network, by MQTT.js: MQTT 3.1.1, clean session, no reconnecting and no queue of its own. */
export function createMqttConnect(config: MqttConnectionConfig): ConnectMqtt {
  return (will) => {
    const client = connect(config.url, {
      clientId: config.clientId,
      username: config.username,
      password: config.password,
      clean: true,
      keepalive: config.keepaliveS,
      connectTimeout: config.connectTimeoutMs,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      protocolVersion: 4,
      ...(config.ca === undefined ? {} : { ca: config.ca }),
      will: { topic: will.topic, payload: bufferOf(will.payload), qos: 1, retain: false },
    });
    const closed = new Promise<Error>((resolve) => {
      client.on('error', resolve);
      client.on('close', () => resolve(new Error('connection closed')));
    });
    const connected = new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      void closed.then(reject);
    });
    connected.catch(() => undefined);
    const connection: MqttConnection = {
      connected,
      closed,
      publish: (topic, payload, qos) =>
        new Promise((resolve, reject) => {
          client.publish(topic, bufferOf(payload), { qos }, (error) => (error ? reject(error) : resolve()));
        }),
      async subscribe(filter, onMessage) {
        client.on('message', (_, payload) => onMessage(payload));
        await client.subscribeAsync(filter, { qos: 1 });
      },
      disconnect: () => client.endAsync(),
      destroy: () => {
        client.end(true);
      },
    };
    return connection;
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
