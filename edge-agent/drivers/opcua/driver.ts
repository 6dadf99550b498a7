import type { OPCUAClient } from 'node-opcua-client';
import { ConnectionLostError, type Driver, type DriverDeps } from '../../driver.ts';
import { connectError, createClient, userOf } from './client.ts';
import type { OpcuaConfig } from './config.ts';
import { type HistoryProgress, openHistoryProgress } from './history-progress.ts';
import type { Link, Session } from './link.ts';
import { type Subscribed, subscribeDevices } from './subscriptions.ts';
import { writeTag } from './write.ts';

/**
 * An OPC UA connection: one session, with subscriptions for all devices. Any trouble ends it; the host makes a new driver, which
 * looks up all names again. After its end nothing is emitted any more.
 */
export function create(config: OpcuaConfig, deps: DriverDeps): Driver {
  const over = new AbortController();
  let client: OPCUAClient | undefined;
  let session: Session | undefined;
  let progress: HistoryProgress | undefined;
  let subscribed: Subscribed | undefined;

  const lose = (what: string): void => over.abort(new ConnectionLostError(`${config.endpoint}: ${what}`));

  /** Waits for the library, but not beyond the end of this driver, nor of the host's patience. */
  const orOver = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      const abort = (): void => over.abort(signal.reason);
      const ended = (): void => reject(over.signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      over.signal.addEventListener('abort', ended, { once: true });
      promise.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', abort);
        over.signal.removeEventListener('abort', ended);
      });
    });

  const open = async (): Promise<void> => {
    const user = await userOf(config);
    const opened = await createClient(config, deps.stateDir);
    // Closed meanwhile: nobody else knows of this client.
    if (over.signal.aborted) await opened.disconnect().catch(() => {});
    over.signal.throwIfAborted();
    client = opened;
    opened.on('connection_lost', () => lose('the connection broke'));
    opened.on('close', () => lose('the connection was closed'));
    await opened.connect(config.endpoint);
    over.signal.throwIfAborted();
    session = (await opened.createSession(user)) as Session;
    session.on('session_closed', () => lose('the server closed the session'));
  };

  return {
    connect: async (signal) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      await orOver(
        open().catch(async (error: unknown) => {
          throw await connectError(error, config, deps.stateDir);
        }),
        signal,
      );
    },

    subscribe: async (emit, lost, signal) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      if (session === undefined) throw new ConnectionLostError('not connected');
      const link: Link = { session, config, deps, over: over.signal, lose, emit };
      const subscribeAll = async (): Promise<Subscribed> => {
        progress = await openHistoryProgress(config.id, deps);
        over.signal.throwIfAborted();
        return subscribeDevices(link, progress);
      };
      subscribed = await orOver(subscribeAll(), signal);
      const tell = (): void => {
        if (over.signal.reason instanceof ConnectionLostError) lost(over.signal.reason);
      };
      if (over.signal.aborted) tell();
      else over.signal.addEventListener('abort', tell, { once: true });
    },

    write: async (deviceId, write, signal) => {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      if (session === undefined) throw new ConnectionLostError(`${config.endpoint}: not connected, nothing was written`);
      return orOver(writeTag({ session, config, deps, over: over.signal, lose }, subscribed, deviceId, write), signal);
    },

    close: async () => {
      const [openClient, openSession] = [client, session];
      const wasLost = over.signal.aborted;
      over.abort(new Error('the driver was closed'));
      client = undefined;
      session = undefined;
      await progress?.close();
      // Closing a session ends its timers and asks the server; one that is lost does not answer, and is not waited for.
      const closed = openSession?.close().catch(() => {});
      if (!wasLost) await closed;
      await openClient?.disconnect().catch(() => {});
    },
  };
}
