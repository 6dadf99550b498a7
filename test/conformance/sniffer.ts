import { connect, createServer, type Socket } from 'node:net';
import { parser as createParser, type Packet } from 'mqtt-packet';
import { type Place, readPublished, type TraceEvent } from './trace.ts';

/** Stands between a client and a server and writes down what they say; can break the cable in several ways. */
export interface Sniffer {
  readonly url: string;
  /** The next connection is closed as soon as its CONNECT came: the server never answers. */
  dropNextConnect(): void;
  /** On the connections that stand now nothing passes any more, and nobody is told; new ones pass. */
  swallow(): void;
  /** Ends every connection; new ones pass again. */
  cut(): void;
  close(): Promise<void>;
}

let connections = 0;

/** `trace` takes the events; several sniffers may share one. Port 0: any free one. */
export async function startSniffer(trace: TraceEvent[], targetPort: number, server = 0, port = 0): Promise<Sniffer> {
  const sockets = new Set<Socket>();
  const links = new Set<{ isSilent: boolean }>();
  let isDropping = false;

  const listener = createServer((near) => {
    const connection = connections++;
    const place = (): Place => ({ server, connection, timeMs: Date.now() });
    const far = connect(targetPort, '127.0.0.1');
    const link = { isSilent: false };
    links.add(link);
    const [up, down] = [createParser({ protocolVersion: 4 }), createParser({ protocolVersion: 4 })];
    up.on('packet', (packet: Packet) => {
      note(trace, packet, place(), 'up');
      if (packet.cmd === 'connect' && isDropping) {
        isDropping = false;
        near.destroy();
        far.destroy();
      }
    });
    for (const parser of [up, down]) parser.on('error', () => undefined);
    down.on('packet', (packet: Packet) => note(trace, packet, place(), 'down'));
    const pass = (from: Socket, to: Socket, parser: typeof up): void => {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (data) => {
        if (link.isSilent) return;
        parser.parse(data as Buffer);
        if (!to.destroyed) to.write(data);
      });
      from.on('close', () => {
        sockets.delete(from);
        if (!link.isSilent) to.destroy();
      });
    };
    pass(near, far, up);
    pass(far, near, down);
    near.on('close', () => {
      links.delete(link);
      trace.push({ kind: 'closed', at: place() });
    });
  });
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const address = listener.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    dropNextConnect() {
      isDropping = true;
    },
    swallow() {
      for (const link of links) link.isSilent = true;
    },
    cut,
    async close() {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function note(trace: TraceEvent[], packet: Packet, at: Place, direction: 'up' | 'down'): void {
  switch (packet.cmd) {
    case 'connect': {
      const { clean, protocolVersion = 4, will } = packet;
      const read = will === undefined ? undefined : readPublished({ ...will, payload: will.payload as Uint8Array });
      trace.push({ kind: 'connect', at, isClean: clean ?? false, protocolVersion, will: read });
      break;
    }
    case 'subscribe':
      trace.push({ kind: 'subscribe', at, filters: packet.subscriptions.map(({ topic, qos }) => ({ filter: topic, qos })) });
      break;
    case 'publish':
      trace.push({ kind: 'publish', at, direction, message: readPublished(packet) });
      break;
    case 'connack':
    case 'suback':
    case 'disconnect':
      trace.push({ kind: packet.cmd, at });
      break;
    default:
  }
}
