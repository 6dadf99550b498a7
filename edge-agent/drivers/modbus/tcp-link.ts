import { connect, type Socket } from 'node:net';
import { ConnectionLostError } from '../../driver.ts';
import { abortError, type Link, type LinkEvents } from './link.ts';

const keepAliveMs = 10_000;
/** A device that reads nothing makes the socket's queue grow; with one request in flight nothing near this is ever waiting. */
const maxUnsentBytes = 4096;

/** A TCP connection that this side opens. */
export function createTcpLink(host: string, port: number): Link {
  const name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  let socket: Socket | undefined;
  return {
    name,
    open: (events, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const opening = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
        socket = opening;
        const abort = (): void => {
          opening.destroy();
          reject(abortError(signal));
        };
        signal.addEventListener('abort', abort, { once: true });
        opening.once('connect', () => {
          signal.removeEventListener('abort', abort);
          resolve();
        });
        followSocket(name, opening, {
          data: events.data,
          lost: (error) => {
            signal.removeEventListener('abort', abort);
            reject(error);
            events.lost(error);
          },
        });
      }),
    write: (bytes) => writeTo(socket, bytes),
    close: () => socket?.destroy(),
  };
}

/** Turns the events of a socket into those of a link. A reset, an end and a failure all mean that it is gone. */
export function followSocket(name: string, socket: Socket, events: LinkEvents): void {
  let isOver = false;
  const lose = (why: string, cause?: Error): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    events.lost(new ConnectionLostError(`${name}: ${why}`, cause));
  };
  socket.on('error', (error) => lose(error.message, error));
  socket.on('end', () => lose('the device closed the connection'));
  socket.on('close', () => lose('the device closed the connection'));
  socket.on('data', (chunk) => {
    if (!isOver) events.data(chunk);
  });
}

export function writeTo(socket: Socket | undefined, bytes: Buffer): void {
  if (socket === undefined || socket.destroyed) return;
  socket.write(bytes);
  if (socket.writableLength > maxUnsentBytes) socket.destroy(new Error('the device reads nothing of what is sent'));
}
