import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { certificateAdvice } from './certificate-advice.ts';
import type { ConnectMqtt, MqttConnection, OnMessage } from './connection.ts';

export interface MqttConnectionConfig {
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  /** Further servers, in the order in which they are tried. */
  readonly backupUrls?: readonly string[] | undefined;
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
  const urls = [config.url, ...(config.backupUrls ?? [])];
  return (will, server) => {
    const client = connect({
      clientId: config.clientId,
      username: config.username,
      password: config.password,
      ...brokerAt(urls[server % urls.length] ?? config.url),
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
      client.on('error', (error) => resolve(withAdvice(error)));
      client.on('close', () => resolve(new Error('connection closed')));
    });
    const connected = new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      void closed.then(reject);
    });
    connected.catch(() => undefined);
    const listeners = new Map<string, OnMessage>();
    client.on('message', (topic, payload, { retain }) => {
      for (const [filter, onMessage] of listeners) if (matches(filter, topic)) onMessage(payload, topic, retain);
    });
    const pings = followPings(client);
    let isConnectSent = true;
    client.on('error', (error) => {
      // The library writes the CONNECT before there is a connection, so only such an error tells that nobody got it.
      if ('code' in error && unreachable.has(String(error.code))) isConnectSent = false;
    });
    const connection: MqttConnection = {
      connected,
      closed,
      publish: (topic, payload, qos) =>
        new Promise((resolve, reject) => {
          client.publish(topic, bufferOf(payload), { qos }, (error) => (error ? reject(error) : resolve()));
        }),
      async subscribe(filter, onMessage) {
        listeners.set(filter, onMessage);
        await client.subscribeAsync(filter, { qos: 1 });
      },
      ping: () => pings.send(),
      isConnectSent: () => isConnectSent,
      disconnect: () => client.endAsync(),
      destroy: () => {
        client.end(true);
      },
    };
    return connection;
  };
}

/** OpenSSL's words alone do not tell what to do on the gateway. */
function withAdvice(error: Error): Error {
  const advice = 'code' in error ? certificateAdvice(String(error.code)) : undefined;
  return advice === undefined ? error : new Error(`${error.message}: ${advice}`, { cause: error });
}

/** Errors of an attempt that reached no server. */
const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);

/** Answers come in the order of the pings; the library sends pings of its own between ours. */
function followPings(client: MqttClient): { send(): Promise<void> } {
  let sent = 0;
  let answered = 0;
  let waiting: { readonly until: number; readonly resolve: () => void }[] = [];
  client.on('packetsend', ({ cmd }) => {
    if (cmd === 'pingreq') sent++;
  });
  client.on('packetreceive', ({ cmd }) => {
    if (cmd !== 'pingresp') return;
    answered++;
    for (const { until, resolve } of waiting) if (until <= answered) resolve();
    waiting = waiting.filter(({ until }) => until > answered);
  });
  return {
    send: () =>
      new Promise((resolve) => {
        client.sendPing();
        waiting.push({ until: sent, resolve });
      }),
  };
}

/** Whether a topic matches a filter; of the wildcards only `+` is used here. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  return wanted.length === levels.length && wanted.every((level, i) => level === '+' || level === levels[i]);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** An address in parts: MQTT.js would take it apart by `url.parse`, of which Node 24 warns at every start. */
function brokerAt(address: string): IClientOptions {
  const { protocol, hostname, port, pathname, search, username, password } = new URL(address);
  return {
    protocol: protocol.slice(0, -1) as NonNullable<IClientOptions['protocol']>,
    host: hostname.replace(/^\[|\]$/g, ''),
    path: `${pathname}${search}`,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
  };
}
