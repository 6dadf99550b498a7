import { connect, createServer, type Socket } from 'node:net';
import { listenLocally } from './listen-locally.ts';

/** Stands between a driver and its peer, and can fall silent without closing anything: a pulled cable. */
export async function startTcpProxy(targetPort: number): Promise<{ readonly port: number; hang(): void; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    keep(near).pipe(keep(far)).pipe(near);
  });
  const port = await listenLocally(server);
  return {
    port,
    hang: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.removeAllListeners('data');
        socket.resume();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
