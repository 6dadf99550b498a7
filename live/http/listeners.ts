import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Clock } from '@nhip/core/process/env';
import { ConfigError, RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { isLoopback } from '@nhip/core/process/loopback';
import { boundHandshakes } from '@nhip/core/process/node-handshakes';
import { followTlsFiles, readTlsFiles, type TlsFollower } from '@nhip/core/process/node-tls-files';
import type { FastifyInstance } from 'fastify';
import type { LiveConfig } from '../config.ts';

export interface Listeners {
  /**
   * Listens in plain and, where configured, over TLS; a new certificate is taken while it runs. Rejects with ConfigError for an
   * address or files that cannot be used and with RetryableError `live.portInUse`.
   */
  open(): Promise<{ readonly port: number; readonly tlsPort: number | undefined }>;
  /** Stops listening, lets requests end for `stopWithinMs`, then ends them. */
  close(): Promise<void>;
}

/** Requests that still run at the stop get this long. */
const stopWithinMs = 2000;
const handshakeTimeoutMs = 10_000;

/** Where the HTTP server is reached: requests and upgrades over TLS go to the same `app`. */
export function createListeners(
  app: FastifyInstance,
  { host, port, tls, publicUrl }: LiveConfig,
  deps: { readonly clock: Clock; readonly log: Log },
): Listeners {
  let https: HttpsServer | undefined;
  let follower: TlsFollower | undefined;

  function createOverTls(files: NonNullable<LiveConfig['tls']>): HttpsServer {
    const { requestTimeout, headersTimeout, keepAliveTimeout } = app.server;
    const server = createServer({ ...readTlsFiles(files, 'live.tls'), handshakeTimeout: handshakeTimeoutMs });
    Object.assign(server, { requestTimeout, headersTimeout, keepAliveTimeout });
    boundHandshakes(server);
    for (const event of ['request', 'upgrade']) server.on(event, (...given) => app.server.emit(event, ...given));
    return server;
  }

  return {
    async open() {
      if (!isLoopback(host) && publicUrl?.startsWith('https:') !== true) {
        deps.log.warn({ host }, 'Passwords and values cross the network unencrypted: use live.tls and leave live.host on loopback');
      }
      // `localhost` would make Fastify open a second server without Socket.io.
      const listening = app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
      await listening.catch((error) => explain(error, host, port, 'live'));
      if (tls !== undefined) {
        https = createOverTls(tls);
        const tlsHost = tls.host ?? host;
        await listen(https, tlsHost, tls.port).catch((error) => explain(error, tlsHost, tls.port, 'live.tls'));
        follower = followTlsFiles(tls, 'live.tls', https, deps);
      }
      return { port: portOf(app.server), tlsPort: https === undefined ? undefined : portOf(https) };
    },
    async close() {
      await follower?.stop();
      const force = deps.clock.after(stopWithinMs, () => {
        app.server.closeAllConnections();
        https?.closeAllConnections();
      });
      await Promise.all([app.close(), new Promise((resolve) => (https === undefined ? resolve(0) : https.close(resolve)))]);
      force.cancel();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Why `host` and `port`, which `setting` names, cannot be had. */
function explain(error: unknown, host: string, port: number, setting: 'live' | 'live.tls'): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const choice = `choose another with ${setting === 'live' ? '--http-port' : 'live.tls.port'}`;
  if (code === 'EADDRINUSE') {
    throw new RetryableError('live.portInUse', `Port ${port} on ${host} is in use: stop the other program or ${choice}.`, { cause: error });
  }
  if (code === 'EACCES') throw new ConfigError(`${setting}.port`, [`port ${port} needs more rights than this user has: ${choice}`]);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    throw new ConfigError(`${setting}.host`, [`${host} is no address of this computer`]);
  throw error;
}
