import { RetryableError } from '@nhip/core/process/errors';
import { foreignObject } from '../foreign-json.ts';
import { post, type TlsOptions } from './http-request.ts';

export interface AccessToken {
  /** A token that is good for another while; asks for one when needed. Rejects with RetryableError. */
  get(signal: AbortSignal): Promise<string>;
  /** The token was not taken: the next call asks for another one. */
  forget(): void;
}

export interface AccessTokenDeps {
  readonly url: URL;
  readonly clientId: string;
  /** Read anew for every token, so that a secret can be changed while we run. */
  secret(): Promise<string>;
  readonly tls: TlsOptions;
  now(): number;
}

const reserveMs = 60_000;

/** OAuth 2 client credentials (RFC 6749 §4.4), the client in the form. */
export function createAccessToken({ url, clientId, secret, tls, now }: AccessTokenDeps): AccessToken {
  let token: { readonly text: string; readonly untilMs: number } | undefined;
  return {
    async get(signal) {
      if (token !== undefined && now() < token.untilMs) return token.text;
      const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: await secret() });
      const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
      const answer = await post({ url, headers, body: Buffer.from(form.toString()), tls, signal }, now());
      if (answer.status !== 200) {
        const said = problemWords(answer.body);
        const words = said === '' ? '' : ` (${said})`;
        const advice = answer.status === 401 ? ': the client, its secret or its certificate is wrong, or was revoked' : '';
        const retry = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
        throw new RetryableError('gateway.token', `${url.href} answered ${answer.status}${words}${advice}`, retry);
      }
      const { text, lifeMs } = tokenOf(answer.body, url);
      token = { text, untilMs: now() + Math.max(lifeMs / 2, lifeMs - reserveMs) };
      return text;
    },
    forget: () => {
      token = undefined;
    },
  };
}

/** What the other side says of a refusal: of RFC 6749, or of RFC 9457. It comes from elsewhere: it is cut. */
function problemWords(body: Uint8Array): string {
  const { error_description: words, detail } = foreignObject(body) ?? {};
  const said = words ?? detail;
  return typeof said === 'string' ? said.slice(0, 300) : '';
}

function tokenOf(body: Uint8Array, url: URL): { readonly text: string; readonly lifeMs: number } {
  const { access_token: text, expires_in: seconds } = foreignObject(body) ?? {};
  if (typeof text === 'string' && /^[\x21-\x7e]{1,4096}$/.test(text)) {
    return { text, lifeMs: typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) * 1000 : 60_000 };
  }
  throw new RetryableError('gateway.token', `${url.href} answered 200 without an access_token`);
}
