import type { Clock, Random } from '@nhip/core/process/env';
import type { ConnectMqtt, MqttConnection, MqttWill, OnMessage } from '@nhip/edge-agent/session/connection';
import type { WireEnd } from './network.ts';

/** What goes to the broker: MQTT 3.1.1 as far as our clients use it. */
export type UpPacket =
  | { readonly kind: 'connect'; readonly clientId: string; readonly username: string; readonly will: MqttWill | undefined }
  | { readonly kind: 'publish'; readonly id: number; readonly topic: string; readonly payload: Uint8Array; readonly qos: 0 | 1 }
  | { readonly kind: 'subscribe'; readonly id: number; readonly filter: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'disconnect' };

/** What comes back. */
export type DownPacket =
  | { readonly kind: 'connack' }
  | { readonly kind: 'puback'; readonly id: number }
  | { readonly kind: 'suback'; readonly id: number }
  | { readonly kind: 'pong' }
  | { readonly kind: 'publish'; readonly topic: string; readonly payload: Uint8Array };

export type ClientEnd = WireEnd<UpPacket, DownPacket>;
export type BrokerEnd = WireEnd<DownPacket, UpPacket>;

export interface ClientOptions {
  readonly clientId: string;
  readonly username: string;
  readonly connectTimeoutMs: number;
  /** Opens the connection: undefined when it is refused. */
  dial(): ClientEnd | undefined;
}

/** An MQTT client library as the session sees it, over the simulated network. */
export function createConnectMqtt(options: ClientOptions, deps: { readonly clock: Clock; readonly random: Random }): ConnectMqtt {
  return (will) => openConnection(options, will, deps);
}

function openConnection(
  { clientId, username, connectTimeoutMs, dial }: ClientOptions,
  will: MqttWill | undefined,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): MqttConnection {
  const connected = settleable<void>();
  const closed = settleable<Error>();
  connected.promise.catch(() => undefined);
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let onMessage: OnMessage = () => undefined;
  const pings: (() => void)[] = [];
  let nextId = 1;
  let end: ClientEnd | undefined;
  let isOver = false;

  function over(error: Error): void {
    if (isOver) return;
    isOver = true;
    timeout.cancel();
    connected.reject(error);
    closed.resolve(error);
    // MQTT.js rejects some of what was under way and forgets the rest.
    for (const { reject } of waiting.values()) if (random.next() < 0.5) reject(error);
    waiting.clear();
  }

  function answered(id: number): void {
    waiting.get(id)?.resolve();
    waiting.delete(id);
  }

  function receive(packet: DownPacket): void {
    if (isOver) return;
    if (packet.kind === 'connack') {
      timeout.cancel();
      connected.resolve();
    } else if (packet.kind === 'publish') onMessage(packet.payload, packet.topic, false);
    else if (packet.kind === 'pong') pings.shift()?.();
    else answered(packet.id);
  }

  function request(packet: (id: number) => UpPacket): Promise<void> {
    if (isOver || end === undefined) return Promise.reject(new Error('not connected'));
    const id = nextId++;
    end.send(packet(id));
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }

  const timeout = clock.after(connectTimeoutMs, () => {
    end?.close();
    over(new Error('connect timeout'));
  });
  clock.after(1, () => {
    if (isOver) return;
    end = dial();
    if (end === undefined) {
      over(new Error('connect ECONNREFUSED'));
      return;
    }
    end.onMessage = receive;
    end.onClosed = (reason) => over(new Error(reason));
    end.send({ kind: 'connect', clientId, username, will });
  });

  return {
    connected: connected.promise,
    closed: closed.promise,
    publish(topic, payload, qos) {
      if (qos === 1) return request((id) => ({ kind: 'publish', id, topic, payload, qos }));
      if (isOver || end === undefined) return Promise.reject(new Error('not connected'));
      end.send({ kind: 'publish', id: 0, topic, payload, qos });
      return Promise.resolve();
    },
    subscribe(filter, listener) {
      onMessage = listener;
      return request((id) => ({ kind: 'subscribe', id, filter }));
    },
    ping() {
      if (isOver || end === undefined) return Promise.reject(new Error('not connected'));
      end.send({ kind: 'ping' });
      return new Promise((resolve) => pings.push(resolve));
    },
    isConnectSent: () => end !== undefined,
    disconnect() {
      end?.send({ kind: 'disconnect' });
      end?.close();
      over(new Error('disconnected'));
      return Promise.resolve();
    },
    destroy() {
      end?.close();
      over(new Error('destroyed'));
    },
  };
}

function settleable<T>(): { readonly promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
