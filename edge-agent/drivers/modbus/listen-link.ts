import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '@nhip/core/process/errors';
import { ConnectionLostError } from '../../driver.ts';
import { abortError, type Link, type LinkEvents } from './link.ts';
import { followSocket, writeTo } from './tcp-link.ts';

/**
 * Server mode: the device, or its modem, dials in.
 *
 * - One client at a time, and the newest wins: a modem that dials again has lost its old connection, whatever that one looks like.
 *   The link in use is then lost; the host makes a new one, which takes the waiting client.
 * - The port stays open for a while after a link is closed, so that a client can dial in between two links.
 * - What a client sends before it is asked (modems send their number) is thrown away.
 */

/** Longer than the host's longest back-off. */
const lingerMs = 90_000;
/** For what a client sends on its own when it has connected. */
const greetingMs = 300;
const keepAliveMs = 10_000;

interface Listener {
  readonly server: Server;
  /** The newest client that no link has taken; paused, so that it cannot fill memory. */
  waiting: Socket | undefined;
  /** Told when a client dials in. */
  onClient: (() => void) | undefined;
  linger: NodeJS.Timeout | undefined;
}

const listeners = new Map<string, Listener>();

export function createListenLink(host: string, port: number): Link {
  const name = `${host}:${port}`;
  let socket: Socket | undefined;
  let listener: Listener | undefined;
  let isAsked = false;
  let isClosed = false;

  const takeClient = (from: Listener, signal: AbortSignal): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        from.onClient = undefined;
        reject(abortError(signal));
      };
      const take = (): void => {
        const client = from.waiting;
        if (client === undefined) return;
        from.waiting = undefined;
        from.onClient = undefined;
        signal.removeEventListener('abort', abort);
        resolve(client);
      };
      signal.addEventListener('abort', abort, { once: true });
      from.onClient = take;
      take();
    });

  const close = (): void => {
    isClosed = true;
    socket?.destroy();
    if (listener !== undefined) release(name, listener);
    listener = undefined;
  };

  return {
    name,
    open: async (events: LinkEvents, signal) => {
      signal.throwIfAborted();
      const opened = await acquire(name, host, port);
      if (isClosed || signal.aborted) {
        release(name, opened);
        throw signal.aborted ? abortError(signal) : new ConnectionLostError(`${name}: closed by the agent`);
      }
      listener = opened;
      socket = await takeClient(opened, signal);
      followSocket(`${name} (${socket.remoteAddress})`, socket, {
        data: (chunk) => {
          if (isAsked) events.data(chunk);
        },
        lost: (error) => {
          if (!isClosed) events.lost(error);
        },
      });
      opened.onClient = () => socket?.destroy(new Error('the device dialled in again'));
      socket.resume();
      await sleep(greetingMs, undefined, { signal });
      if (socket.destroyed) throw new ConnectionLostError(`${name}: the device hung up again`);
    },
    write: (bytes) => {
      isAsked = true;
      writeTo(socket, bytes);
    },
    close,
  };
}

async function acquire(name: string, host: string, port: number): Promise<Listener> {
  const kept = listeners.get(name);
  if (kept !== undefined) {
    if (kept.linger === undefined) throw new ConnectionLostError(`${name}: another connection of this agent listens there already`);
    clearTimeout(kept.linger);
    kept.linger = undefined;
    kept.server.ref();
    return kept;
  }
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs, pauseOnConnect: true });
  const listener: Listener = { server, waiting: undefined, onClient: undefined, linger: undefined };
  listeners.set(name, listener);
  server.on('connection', (client) => {
    listener.waiting?.destroy();
    listener.waiting = client;
    client.on('error', () => {});
    client.once('close', () => {
      if (listener.waiting === client) listener.waiting = undefined;
    });
    listener.onClient?.();
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', () => {});
        resolve();
      });
    });
  } catch (error) {
    listeners.delete(name);
    throw new ConnectionLostError(`cannot listen on ${name}: ${reasonOf(error)}`, error);
  }
  return listener;
}

/** Keeps the port open for the next link, without keeping the process alive. */
function release(name: string, listener: Listener): void {
  listener.onClient = undefined;
  listener.server.unref();
  listener.linger = setTimeout(() => {
    listeners.delete(name);
    listener.waiting?.destroy();
    listener.server.close();
  }, lingerMs).unref();
}
