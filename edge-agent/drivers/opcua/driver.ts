import type { OPCUAClient } from 'node-opcua-client';
import { ConnectionLostError, type Driver, type DriverDeps } from '../../driver.ts';
import { connectError, createClient, userOf } from './client.ts';
import type { OpcuaConfig } from './config.ts';
import { type Session, subscribeDevices } from './subscriptions.ts';

/**
 * An OPC UA connection: one session, with subscriptions for all devices. Any trouble ends it; the host makes a new driver, which
 * looks up all names again. After its end nothing is emitted any more.
 */
export function create(config: OpcuaConfig, deps: DriverDeps): Driver {
  const over = new AbortController();
  let client: OPCUAClient | undefined;
  let session: Session | undefined;

  const lose = (what: string): void => over.abort(new ConnectionLostError(`${config.endpoint}: ${what}`));

  /** Waits for the library, but not beyond the end of this driver, nor of the host's patience. */
  const orOver = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      const abort = (): void => over.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      over.signal.addEventListener('abort', () => reject(over.signal.reason), { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });

  const open = async (opened: OPCUAClient): Promise<void> => {
    await opened.connect(config.endpoint);
    over.signal.throwIfAborted();
    session = (await opened.createSession(userOf(config))) as Session;
    session.on('session_closed', () => lose('the server closed the session'));
  };

  return {
    connect: async (signal) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      client = createClient(config, deps.stateDir);
      client.on('connection_lost', () => lose('the connection broke'));
      client.on('close', () => lose('the connection was closed'));
      await orOver(
        open(client).catch((error) => {
          throw connectError(error, config, deps.stateDir);
        }),
        signal,
      );
    },

    subscribe: async (emit, lost, signal) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      if (session === undefined) throw new ConnectionLostError('not connected');
      await orOver(subscribeDevices({ session, config, deps, over: over.signal, lose, emit }), signal);
      const tell = (): void => {
        if (over.signal.reason instanceof ConnectionLostError) lost(over.signal.reason);
      };
      if (over.signal.aborted) tell();
      else over.signal.addEventListener('abort', tell, { once: true });
    },

    close: async () => {
      const [openClient, openSession] = [client, session];
      const wasLost = over.signal.aborted;
      over.abort(new Error('the driver was closed'));
      client = undefined;
      session = undefined;
      // Closing a session asks the server; one that is lost does not answer.
      if (openSession !== undefined && !wasLost) await openSession.close().catch(() => {});
      await openClient?.disconnect().catch(() => {});
    },
  };
}
