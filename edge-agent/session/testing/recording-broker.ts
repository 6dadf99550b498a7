import { createServer, type Server, type Socket } from 'node:net';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Metric, Payload } from '@nhip/core/wire/sparkplug/payload';
import { Aedes } from 'aedes';

/** What the broker saw, in the order in which it came. */
export type Seen =
  | { readonly kind: 'connect'; readonly clean: boolean; readonly will: Published | undefined }
  | { readonly kind: 'subscribe'; readonly topics: readonly string[] }
  | ({ readonly kind: 'publish' } & Published);

export interface Published {
  readonly topic: string;
  /** NBIRTH, DDATA, … */
  readonly type: string;
  readonly device: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly payload: Payload;
}

export interface RecordingBroker {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly Seen[];
  published(type?: string): readonly Published[];
  /** Sends an NCMD to g/e. */
  command(payload: Uint8Array, isRetained?: boolean): void;
  /** From now on no publish is answered. */
  hold(): void;
  /** Cuts every connection and closes the port. */
  close(): Promise<void>;
}

interface Packet {
  readonly topic: string;
  readonly payload: string | Buffer | Uint8Array;
  readonly qos?: number | undefined;
  readonly retain?: boolean | undefined;
}

function read({ topic, payload, qos, retain }: Packet): Published {
  const [, , type = '', , device = ''] = topic.split('/');
  return { topic, type, device, qos: qos ?? 0, retain: retain ?? false, payload: decodePayload(Buffer.from(payload)) };
}

/** A real MQTT broker on loopback that writes down what comes. For tests. Port 0: any free one. */
export async function startRecordingBroker(port = 0): Promise<RecordingBroker> {
  const seen: Seen[] = [];
  let isHolding = false;
  const broker = await Aedes.createBroker({
    preConnect: (_, packet, callback) => {
      seen.push({ kind: 'connect', clean: packet.clean ?? false, will: packet.will === undefined ? undefined : read(packet.will) });
      callback(null, true);
    },
    authorizePublish: (_, packet, callback) => {
      if (packet.topic.startsWith('spBv1.0/')) seen.push({ kind: 'publish', ...read(packet) });
      if (!isHolding) callback(null);
    },
  });
  broker.on('subscribe', (subscriptions) =>
    seen.push({ kind: 'subscribe', topics: subscriptions.map(({ topic, qos }) => `${topic} ${qos}`) }),
  );
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `mqtt://127.0.0.1:${bound}`,
    port: bound,
    seen,
    published: (type) => seen.flatMap((item) => (item.kind === 'publish' && (type === undefined || item.type === type) ? [item] : [])),
    command(payload, isRetained = false) {
      const packet = {
        cmd: 'publish',
        topic: 'spBv1.0/g/NCMD/e',
        payload: Buffer.from(payload),
        qos: 0,
        retain: isRetained,
        dup: false,
      } as const;
      broker.publish(packet, () => undefined);
    },
    hold() {
      isHolding = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}

/** The value of a metric by name. */
export function metricValue(payload: Payload | undefined, name: string): Metric['value'] | undefined {
  return payload?.metrics.find((metric) => metric.name === name)?.value;
}
