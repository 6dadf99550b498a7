import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';

const maxGoing = 256;

/**
 * Bounds the TLS handshakes of a server: they hold memory for a stranger, and no limit of clients counts them yet. Beyond 256 the
 * oldest goes, so that idle ones cannot keep clients out, and one that took longer than the server's `handshakeTimeout` is closed.
 */
export function boundHandshakes(server: Server): void {
  const going = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const from = peerOf(socket);
    const [oldest] = going;
    if (going.size >= maxGoing && oldest !== undefined) {
      going.delete(oldest[0]);
      oldest[1].destroy();
    }
    going.set(from, socket);
    socket.once('close', () => {
      if (going.get(from) === socket) going.delete(from);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => void going.delete(peerOf(socket)));
  // A TLS server of Node leaves one open that took too long.
  server.on('tlsClientError', (_, socket) => socket.destroy());
}

/** The socket under a TLS socket is not public; both have the same peer. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
