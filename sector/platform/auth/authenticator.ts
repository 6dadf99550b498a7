import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials, TokenHolder } from '../store/credentials.ts';
import type { CertificateRule } from '../tls/certificate-rule.ts';
import type { PresentedCertificate } from '../tls/client-certificate.ts';
import type { Principal } from './scope.ts';
import { hashSecret, isSecret } from './secrets.ts';
import type { ShortCache } from './short-cache.ts';

export interface Authenticator {
  /** Who the Bearer token of a request belongs to; undefined when there is none, or it is not good over this connection. */
  identify(headers: IncomingHttpHeaders, presented: PresentedCertificate): Promise<Principal | undefined>;
}

export interface AuthenticatorDeps {
  readonly credentials: Pick<Credentials, 'findToken'>;
  readonly tokens: ShortCache<TokenHolder | undefined>;
  readonly certificates: Pick<CertificateRule, 'fitsBound'>;
  readonly operatorToken: string;
  now(): number;
}

const longestToken = 200;

export function createAuthenticator({ credentials, tokens, certificates, operatorToken, now }: AuthenticatorDeps): Authenticator {
  const operatorHash = hashSecret(operatorToken);
  return {
    async identify({ authorization }, presented) {
      const [, token = ''] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === '' || token.length > longestToken) return undefined;
      if (isSecret(token, operatorHash)) return { role: 'operator' };
      const holder = await tokens.get(hashSecret(token).toString('hex'), now(), () => credentials.findToken(token));
      if (holder === undefined || !certificates.fitsBound(holder.certificate, presented)) return undefined;
      const { enterpriseId, clientId, scopes } = holder;
      return { role: 'enterprise', enterpriseId, clientId, scopes };
    },
  };
}
