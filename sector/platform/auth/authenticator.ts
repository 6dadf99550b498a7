import type { IncomingHttpHeaders } from 'node:http';
import type { Client, Credentials } from '../store/credentials.ts';
import type { Principal } from './scope.ts';
import { hashSecret, isSecret } from './secrets.ts';
import type { ShortCache } from './short-cache.ts';

export interface Authenticator {
  /** Who the Bearer token of a request belongs to; undefined when there is none or it is not good. */
  identify(headers: IncomingHttpHeaders): Promise<Principal | undefined>;
}

export interface AuthenticatorDeps {
  readonly credentials: Pick<Credentials, 'findToken'>;
  readonly tokens: ShortCache<Client | undefined>;
  readonly operatorToken: string;
  now(): number;
}

const longestToken = 200;

export function createAuthenticator({ credentials, tokens, operatorToken, now }: AuthenticatorDeps): Authenticator {
  const operatorHash = hashSecret(operatorToken);
  return {
    async identify({ authorization }) {
      const [, token = ''] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === '' || token.length > longestToken) return undefined;
      if (isSecret(token, operatorHash)) return { role: 'operator' };
      const client = await tokens.get(hashSecret(token).toString('hex'), now(), () => credentials.findToken(token));
      return client === undefined ? undefined : { role: 'enterprise', ...client };
    },
  };
}
