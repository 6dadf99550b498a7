/**
 * One MQTT connection as the session sees it: what a network does to it can be simulated behind this seam.
 * One client per connection; the session makes a new one each time, because MQTT.js would send the old will and what it had queued.
 */
export interface MqttConnection {
  /** Resolves when the broker accepted the CONNECT; rejects with why not. */
  readonly connected: Promise<void>;
  /** Resolves with the reason when the connection is over, whoever ended it. Never rejects. */
  readonly closed: Promise<Error>;
  /** QoS 0: resolves when it is handed over. QoS 1: at the PUBACK. May never settle when the connection ends first. */
  publish(topic: string, payload: Uint8Array, qos: 0 | 1): Promise<void>;
  /** Resolves at the SUBACK. `onMessage` is called for what arrives from then on. Filters must not overlap. */
  subscribe(filter: string, onMessage: OnMessage): Promise<void>;
  /** Asks for a sign of life; resolves at the PINGRESP: what was published before has then reached the broker. May never settle. */
  ping(): Promise<void>;
  /** False when it is certain that no CONNECT went out: then nobody has seen the will. */
  isConnectSent(): boolean;
  /** Sends DISCONNECT (the will is dropped) and closes; resolves when it is sent. */
  disconnect(): Promise<void>;
  /** Cuts the connection. Idempotent. */
  destroy(): void;
}

/** `isRetained`: it was published before the subscription, nobody knows when, and comes again with each. */
export type OnMessage = (payload: Uint8Array, topic: string, isRetained: boolean) => void;

export interface MqttWill {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Begins to connect to a server of the list (`server` is its place), with a will at QoS 1. */
export type ConnectMqtt = (will: MqttWill, server: number) => MqttConnection;
