import type { Clock, Random } from '@nhip/core/process/env';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import type { MqttConnection } from '@nhip/edge-agent/session/connection';
import { type ClientEnd, createConnectMqtt } from '../world/mqtt.ts';
import type { Journal } from './journal.ts';

/**
 * Publishers that are not ours: without a disk, so that only what was acknowledged must arrive. Each message goes out once.
 */
export interface Publisher {
  readonly id: string;
  /** Sends one good message. */
  publish(): void;
  /** Sends one that no host can use. */
  misbehave(how: Misbehaviour): void;
}

export const misbehaviours = ['garbage', 'birthTwice', 'seqGap', 'unknownAlias', 'notANumber', 'wrongTopic'] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

interface PublisherDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  dial(): ClientEnd | undefined;
}

const reconnectMs = 2000;

/** Keeps one connection, sends what it is given while it stands, and tells what became of it. */
function createSender(id: string, { clock, random, journal, dial }: PublisherDeps, onConnected: (send: Send) => void): Send {
  const connect = createConnectMqtt({ clientId: id, username: id, connectTimeoutMs: 5000, dial }, { clock, random });
  let connection: MqttConnection | undefined;
  const open = (): void => {
    const opened = connect({ topic: `spBv1.0/${id.replace('/', '/NDEATH/')}`, payload: encodePayload({ metrics: [] }) }, 0);
    opened.connected.then(
      () => {
        connection = opened;
        onConnected(send);
      },
      () => undefined,
    );
    void opened.closed.then(() => {
      connection = undefined;
      clock.after(reconnectMs, open);
    });
  };
  const send: Send = (topic, payload, qos) => {
    const fromMs = clock.now();
    // Until it is acknowledged it may be lost.
    const mayMiss = (): void => journal.mayMiss({ edge: id, fromMs, toMs: fromMs });
    if (connection === undefined) {
      mayMiss();
      return false;
    }
    const ended = connection.closed;
    const acknowledged = connection.publish(topic, payload, qos).then(() => qos === 1);
    void Promise.race([acknowledged, ended.then(() => false)]).then((isSafe) => isSafe || mayMiss(), mayMiss);
    return true;
  };
  open();
  return send;
}

type Send = (topic: string, payload: Uint8Array, qos: 0 | 1) => boolean;

/** A sensor on the JSON lane. */
export function createJsonPublisher(id: string, deps: PublisherDeps): Publisher {
  const { clock, journal } = deps;
  const send = createSender(id, deps, () => undefined);
  const text = (body: string): Uint8Array => new TextEncoder().encode(body);
  return {
    id,
    publish() {
      const atMs = clock.now();
      const value = journal.next(`${id}/sensor T`);
      journal.serve({ series: `${id}/sensor T`, value, atMs });
      send(`json/${id}/sensor`, text(JSON.stringify({ ts: atMs, values: { T: value } })), 1);
    },
    misbehave(how) {
      serveNothing(id, deps);
      send(`json/${id}/sensor`, text(how === 'garbage' ? '{"values":' : '[1, 2]'), 1);
    },
  };
}

/** A Sparkplug node without an outbox. */
export function createStranger(id: string, deps: PublisherDeps): Publisher {
  const { clock, journal } = deps;
  const [group = '', edge = ''] = id.split('/');
  const topic = (type: string): string => `spBv1.0/${group}/${type}/${edge}`;
  let seq = 0;
  const birth = (sendNow: Send): void => {
    seq = 0;
    const metrics: Metric[] = [
      { name: 'bdSeq', dataType: dataType.Int64, value: 0 },
      { name: 'A', alias: 1, dataType: dataType.Double, value: null },
    ];
    sendNow(topic('NBIRTH'), encodePayload({ timestampMs: clock.now(), seq, metrics }), 0);
  };
  const send = createSender(id, deps, birth);
  const data = (metric: Metric): void => {
    seq = (seq + 1) % 256;
    send(topic('NDATA'), encodePayload({ timestampMs: clock.now(), seq, metrics: [metric] }), 1);
  };
  return {
    id,
    publish() {
      const value = journal.next(`${id}/_node A`);
      journal.serve({ series: `${id}/_node A`, value, atMs: clock.now() });
      data({ alias: 1, dataType: dataType.Double, value });
    },
    misbehave(how) {
      if (how === 'birthTwice') {
        birth(send);
        birth(send);
      } else if (how === 'seqGap') seq += 3;
      else if (how === 'notANumber') {
        journal.serve({ series: `${id}/_node A`, value: journal.next(`${id}/_node A`), atMs: clock.now() });
        data({ alias: 1, dataType: dataType.Double, value: Number.NaN });
      } else {
        serveNothing(id, deps);
        if (how === 'garbage') send(topic('NDATA'), deps.random.bytes(20).fill(0xff, 0, 4), 1);
        else if (how === 'wrongTopic') send(topic('NDATA').replace('NDATA', 'NCMD'), encodePayload({ metrics: [] }), 1);
        else data({ alias: 77, dataType: dataType.Double, value: 1 });
      }
    },
  };
}

/** A message that holds no value still becomes a dead letter of one sample: it is missing from the store as one. */
function serveNothing(id: string, { clock, journal }: PublisherDeps): void {
  journal.serve({ series: `${id}/nothing`, value: journal.next(`${id}/nothing`), atMs: clock.now() });
}
