import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { ConfigError } from '@nhip/core/process/errors';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { BrokerConfig } from './config.ts';

export interface Listeners {
  /** The MQTT port that was taken. */
  readonly port: number;
  /** The WebSocket port that was taken; undefined when it is off. */
  readonly webSocketPort: number | undefined;
  close(): Promise<void>;
}

/**
 * Aedes reads again only when everything it read is acknowledged, that is after the sync. With Node's 64 KiB a publisher of
 * 4 KB messages gets 16 into one sync; with this its whole window.
 */
const readAheadBytes = 262_144;

type Handle = (stream: Duplex, address: string) => void;

/**
 * Opens MQTT over TCP, TLS and WebSocket as configured. Throws ConfigError that names a taken port, an address that is not
 * here, or a certificate that cannot be read.
 */
export async function listen(config: BrokerConfig, handle: Handle): Promise<Listeners> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  };
  const accept = (socket: Socket): void => handle(socket, socket.remoteAddress ?? '');
  const servers: Server[] = [];

  const tcp = createServer({ highWaterMark: readAheadBytes }, accept);
  tcp.on('connection', track);
  const port = await open(tcp, config.host, config.port, 'MQTT', '--mqtt-port');
  servers.push(tcp);
  let webSocketPort: number | undefined;
  try {
    if (config.tls !== undefined) {
      const tls = createTlsServer(
        {
          cert: readPem(config.tls.certFile, 'certFile'),
          key: readPem(config.tls.keyFile, 'keyFile'),
          minVersion: 'TLSv1.2',
          highWaterMark: readAheadBytes,
        },
        accept,
      );
      tls.on('connection', track);
      await open(tls, config.host, config.tls.port, 'MQTT over TLS', 'broker.tls.port');
      servers.push(tls);
    }
    if (config.webSocketPort !== undefined) {
      const http = createHttpServer((_, response) => response.writeHead(426).end());
      http.on('connection', track);
      const webSockets = new WebSocketServer({ server: http, maxPayload: config.maxPacketBytes + 16, handleProtocols: () => 'mqtt' });
      webSockets.on('connection', (webSocket, request) => handle(createWebSocketStream(webSocket), request.socket.remoteAddress ?? ''));
      webSocketPort = await open(http, config.host, config.webSocketPort, 'MQTT over WebSocket', 'broker.webSocketPort');
      servers.push(http);
    }
  } catch (error) {
    await closeAll(servers, sockets);
    throw error;
  }
  return { port, webSocketPort, close: () => closeAll(servers, sockets) };
}

function readPem(file: string, key: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError('MQTT over TLS', [`broker.tls.${key}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
}

function open(server: Server, host: string, port: number, what: string, option: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        const advice = `stop the program that uses it or choose another with ${option}`;
        reject(new ConfigError(what, [`port ${port} on ${host} is in use: ${advice}`]));
      } else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
        reject(new ConfigError(what, [`${host} is no address of this computer: choose another with --host`]));
      } else if (error.code === 'EACCES') {
        reject(new ConfigError(what, [`port ${port} needs more rights than this user has: choose another with ${option}`]));
      } else reject(error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

async function closeAll(servers: readonly Server[], sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}
