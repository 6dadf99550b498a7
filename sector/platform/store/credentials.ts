import { randomUUID } from 'node:crypto';
import { isScope, type Scope } from '../auth/scope.ts';
import { hashSecret, isSecret, newSecret } from '../auth/secrets.ts';
import type { Database, Queries } from '../database.ts';

/** Clients of an enterprise (OAuth 2 client credentials) and the tokens that they were given. Only hashes of secrets are kept. */
export interface Credentials {
  /** Adds a client; its secret is told once. */
  add(queries: Queries, enterpriseId: string, name: string, scopes: readonly Scope[]): Promise<ClientSecret>;
  /** The client with these credentials; undefined when unknown, wrong or revoked, all after the same time. */
  check(clientId: string, clientSecret: string): Promise<CheckedClient | undefined>;
  /** A token for some of the client's scopes, told once; good with this certificate only, where there is one. */
  issue(client: Client, scopes: readonly Scope[], certificate: string | null): Promise<string>;
  /** Whose token it is, unless it is over or its client revoked. */
  findToken(token: string): Promise<TokenHolder | undefined>;
  /** Ends a client and its tokens. Resolves false when there is none in use. */
  revoke(enterpriseId: string, clientId: string): Promise<boolean>;
}

export interface ClientSecret {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface Client {
  readonly clientId: string;
  readonly enterpriseId: string;
  readonly scopes: readonly Scope[];
}

/** A client whose secret was right. */
export interface CheckedClient extends Client {
  /** Thumbprints of its certificates; none: the secret is enough. */
  readonly certificates: readonly string[];
}

/** Whose a token or session is. */
export interface TokenHolder extends Client {
  /** Thumbprint of the certificate over which it was given; null: over none. */
  readonly certificate: string | null;
}

export const tokenLifeMs = 15 * 60_000;
const maxTokensPerClient = 20;

interface ClientRow extends Readonly<Record<string, unknown>> {
  readonly client_id: string;
  readonly enterprise_id: string;
  readonly scopes: readonly string[];
}

export function createCredentials(database: Database, now: () => number): Credentials {
  return {
    async add(queries, enterpriseId, name, scopes) {
      const clientId = randomUUID();
      const clientSecret = newSecret('nhips');
      await queries.query('INSERT INTO credential VALUES ($1, $2, $3, $4, $5, $6, NULL)', [
        clientId,
        enterpriseId,
        name,
        hashSecret(clientSecret),
        scopes,
        new Date(now()),
      ]);
      return { clientId, clientSecret };
    },
    async check(clientId, clientSecret) {
      const [row] = await database.query<ClientRow & { secret_hash: Uint8Array; certificates: readonly string[] }>(
        `SELECT client_id, enterprise_id, scopes, secret_hash,
                ARRAY(SELECT thumbprint FROM client_certificate m WHERE m.client_id = c.client_id) AS certificates
           FROM credential c WHERE client_id = $1 AND revoked_at IS NULL`,
        [clientId],
      );
      if (!isSecret(clientSecret, row?.secret_hash) || row === undefined) return undefined;
      return { ...clientOf(row), certificates: row.certificates };
    },
    async issue({ clientId }, scopes, certificate) {
      const token = newSecret('nhipt');
      const at = new Date(now());
      await database.transaction(async (queries) => {
        await queries.query(
          `DELETE FROM access_token WHERE expires_at <= $2 OR token_hash IN
             (SELECT token_hash FROM access_token WHERE client_id = $1 ORDER BY expires_at DESC OFFSET $3)`,
          [clientId, at, maxTokensPerClient - 1],
        );
        await queries.query('INSERT INTO access_token VALUES ($1, $2, $3, $4, $5)', [
          hashSecret(token),
          clientId,
          scopes,
          new Date(at.getTime() + tokenLifeMs),
          certificate,
        ]);
      });
      return token;
    },
    async findToken(token) {
      const [row] = await database.query<ClientRow & { certificate: string | null }>(
        `SELECT client_id, enterprise_id, t.scopes, t.certificate FROM access_token t JOIN credential c USING (client_id)
          WHERE token_hash = $1 AND expires_at > $2 AND revoked_at IS NULL`,
        [hashSecret(token), new Date(now())],
      );
      return row === undefined ? undefined : { ...clientOf(row), certificate: row.certificate };
    },
    async revoke(enterpriseId, clientId) {
      const revoked = await database.query(
        'UPDATE credential SET revoked_at = $3 WHERE enterprise_id = $1 AND client_id = $2 AND revoked_at IS NULL RETURNING client_id',
        [enterpriseId, clientId, new Date(now())],
      );
      return revoked.length > 0;
    },
  };
}

function clientOf({ client_id, enterprise_id, scopes }: ClientRow): Client {
  return { clientId: client_id, enterpriseId: enterprise_id, scopes: scopes.filter(isScope) };
}
