import type { createGate } from '@nhip/broker/gate';
import type { MqttWill } from '@nhip/edge-agent/session/connection';
import type { BrokerEnd, UpPacket } from './mqtt.ts';

/** What the simulation watches at the broker. */
export interface BrokerWatch {
  /** A message is in the log. */
  appended(username: string, topic: string, payload: Uint8Array): void;
  /** Messages of one connection that wait for their PUBACK, when there are more than ever before. */
  inFlight(username: string, count: number): void;
}

export interface SimBroker {
  accept(end: BrokerEnd): void;
  /** Publishes to the clients that subscribed to the topic. */
  publish(topic: string, payload: Uint8Array): void;
}

interface Client {
  readonly end: BrokerEnd;
  readonly id: string;
  readonly username: string;
  readonly will: MqttWill | undefined;
  readonly filters: Set<string>;
  waiting: number;
}

/**
 * The MQTT side of the broker as Aedes does it: packets in order of arrival to the gate, the PUBACK when the gate let a message
 * pass, the end of the connection when it did not; the will unless the client said DISCONNECT; one connection per client id.
 */
export function createSimBroker(gate: ReturnType<typeof createGate>, watch: BrokerWatch): SimBroker {
  const clients = new Map<string, Client>();

  function pass(client: Client, topic: string, payload: Uint8Array, done: (error?: Error) => void): void {
    gate.pass(client.username, { topic, payload, retain: false }, (error) => {
      if (error === undefined) watch.appended(client.username, topic, payload);
      done(error);
    });
  }

  /** The connection is over; without a DISCONNECT the will is published. */
  function gone(client: Client, isGraceful: boolean): void {
    if (clients.get(client.id) === client) clients.delete(client.id);
    const { will } = client;
    if (!isGraceful && will !== undefined) pass(client, will.topic, will.payload, () => undefined);
  }

  function connect(end: BrokerEnd, { clientId, username, will }: Extract<UpPacket, { kind: 'connect' }>): Client {
    const earlier = clients.get(clientId);
    if (earlier !== undefined) {
      earlier.end.close();
      gone(earlier, false);
    }
    const client: Client = { end, id: clientId, username, will, filters: new Set(), waiting: 0 };
    clients.set(clientId, client);
    end.onClosed = () => gone(client, false);
    end.send({ kind: 'connack' });
    return client;
  }

  function publish(client: Client, { id, topic, payload, qos }: Extract<UpPacket, { kind: 'publish' }>): void {
    client.waiting += qos;
    watch.inFlight(client.username, client.waiting);
    pass(client, topic, payload, (error) => {
      client.waiting -= qos;
      if (!client.end.isOpen) return;
      if (error !== undefined) {
        client.end.close();
        gone(client, false);
      } else if (qos === 1) client.end.send({ kind: 'puback', id });
    });
  }

  return {
    accept(end) {
      let client: Client | undefined;
      end.onMessage = (packet) => {
        if (packet.kind === 'connect') client = connect(end, packet);
        else if (client === undefined) end.close();
        else if (packet.kind === 'publish') publish(client, packet);
        else if (packet.kind === 'subscribe') {
          client.filters.add(packet.filter);
          end.send({ kind: 'suback', id: packet.id });
        } else if (packet.kind === 'ping') end.send({ kind: 'pong' });
        else {
          end.close();
          gone(client, true);
        }
      };
    },
    publish(topic, payload) {
      for (const client of clients.values()) if (client.filters.has(topic)) client.end.send({ kind: 'publish', topic, payload });
    },
  };
}
