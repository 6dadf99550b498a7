import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { isLoopback } from '@nhip/core/process/loopback';
import { boundHandshakes } from '@nhip/core/process/node-handshakes';
import { followTlsFiles, readTlsFiles, type TlsFollower } from '@nhip/core/process/node-tls-files';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { BrokerConfig } from './config.ts';

export interface Listeners {
  /** The MQTT port that was taken. */
  readonly port: number;
  /** The port of MQTT over TLS that was taken; undefined when it is off. */
  readonly tlsPort: number | undefined;
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
 * here, or a certificate that cannot be used. A new certificate is taken while it runs.
 */
export async function listen(config: BrokerConfig, deps: { readonly clock: Clock; readonly log: Log }, handle: Handle): Promise<Listeners> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  };
  const accept = (socket: Socket): void => handle(socket, socket.remoteAddress ?? '');
  const servers: Server[] = [];
  let follower: TlsFollower | undefined;
  const close = async (): Promise<void> => {
    await follower?.stop();
    await closeAll(servers, sockets);
  };

  const tcp = createServer({ highWaterMark: readAheadBytes }, accept);
  tcp.on('connection', track);
  const port = await open(tcp, config.host, config.port, 'MQTT', '--mqtt-port');
  servers.push(tcp);
  let tlsPort: number | undefined;
  let webSocketPort: number | undefined;
  try {
    if (config.tls !== undefined) {
      const context = readTlsFiles(config.tls, 'broker.tls');
      const tls = createTlsServer({ ...context, handshakeTimeout: config.connectTimeoutMs, highWaterMark: readAheadBytes }, accept);
      tls.on('connection', track);
      boundHandshakes(tls);
      tls.on('tlsClientError', (error, socket) => {
        deps.log.debug({ address: socket.remoteAddress, reason: error.message }, 'TLS handshake failed');
      });
      tlsPort = await open(tls, config.tls.host ?? config.host, config.tls.port, 'MQTT over TLS', 'broker.tls.port');
      servers.push(tls);
      follower = followTlsFiles(config.tls, 'broker.tls', tls, deps);
    }
    if (config.webSocketPort !== undefined) {
      const http = createHttpServer((_, response) => response.writeHead(426).end());
      http.on('connection', track);
      // Given the server itself, it would throw that server's errors.
      const webSockets = new WebSocketServer({ noServer: true, maxPayload: config.maxPacketBytes + 16, handleProtocols: () => 'mqtt' });
      http.on('upgrade', (request, socket, head) => {
        const address = request.socket.remoteAddress ?? '';
        webSockets.handleUpgrade(request, socket, head, (webSocket) => handle(createWebSocketStream(webSocket), address));
      });
      webSocketPort = await open(http, config.host, config.webSocketPort, 'MQTT over WebSocket', 'broker.webSocketPort');
      servers.push(http);
    }
  } catch (error) {
    await close();
    throw error;
  }
  if (!isLoopback(config.host)) {
    const advice = 'MQTT passwords and values cross the network unencrypted: use broker.tls and leave broker.host on loopback';
    deps.log.warn({ host: config.host }, advice);
  }
  return { port, tlsPort, webSocketPort, close };
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
