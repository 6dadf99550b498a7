import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Client } from 'aedes';
import type { Credential, CredentialFile } from './auth/credentials.ts';

/** How long a connection may outlive its credential. */
const lookEveryMs = 1000;

/** Who is logged in, and with what. */
export interface Logins {
  add(client: Client, credential: Credential): void;
  /** The user name that a client logged in with; also after its connection has ended, for its will. */
  username(client: Client): string | undefined;
  /** Until `signal` aborts: closes connections whose credential was removed or renewed since they logged in. Their wills are published. */
  follow(signal: AbortSignal): Promise<void>;
}

/** MQTT asks for the password only at CONNECT; a removed gateway must not go on for as long as its connection stands. */
export function createLogins(credentials: CredentialFile, { clock, log }: { readonly clock: Clock; readonly log: Log }): Logins {
  const usedBy = new WeakMap<Client, Credential>();
  const open = new Set<Client>();

  function look(): void {
    const current = credentials.current();
    for (const client of open) {
      const used = usedBy.get(client);
      if (client.closed) open.delete(client);
      // Aedes would register a client that is closed in the middle of its CONNECT.
      else if (client.connected && current.get(used?.username ?? '')?.sha256 !== used?.sha256) {
        log.warn({ clientId: client.id, user: used?.username }, 'Credential removed or renewed, connection closed');
        client.close();
      }
    }
  }

  return {
    add(client, credential) {
      usedBy.set(client, credential);
      open.add(client);
    },
    username: (client) => usedBy.get(client)?.username,
    async follow(signal) {
      while (!signal.aborted) {
        await clock.sleep(lookEveryMs, signal).catch(() => undefined);
        if (!signal.aborted) look();
      }
    },
  };
}
