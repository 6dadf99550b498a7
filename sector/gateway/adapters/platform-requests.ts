import { withEitherSignal } from '@nhip/core/process/either-signal';
import { RetryableError } from '@nhip/core/process/errors';
import type { AccessToken } from './access-token.ts';
import { get, type HttpAnswer, post, type TlsOptions } from './http-request.ts';

export interface PlatformRequestsDeps {
  /** Of the API with its version, `https://sector.example.vn/v1`; from the policy. */
  readonly url: URL;
  readonly token: AccessToken;
  readonly tls: TlsOptions;
  now(): number;
}

/** Requests to a sector platform in the name of the client. Each rejects with RetryableError when there is no whole answer. */
export interface PlatformRequests {
  under(path: string): URL;
  get(path: string, signal: AbortSignal): Promise<HttpAnswer>;
  post(path: string, body: { readonly type: string; readonly bytes: Uint8Array }, signal: AbortSignal): Promise<HttpAnswer>;
  /** Ends what is under way, and whatever is asked later. */
  close(): void;
}

export function createPlatformRequests({ url, token, tls, now }: PlatformRequestsDeps): PlatformRequests {
  const closing = new AbortController();
  const under = (path: string): URL => new URL(`${url.href.replace(/\/$/, '')}${path}`);

  function authorised(signal: AbortSignal, ask: (authorization: string, either: AbortSignal) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    return withEitherSignal([signal, closing.signal], async (either) => {
      const answer = await ask(`Bearer ${await token.get(either)}`, either);
      if (answer.status !== 401) return answer;
      // A token may have been revoked, or the server may have forgotten it: once more with a new one.
      token.forget();
      return ask(`Bearer ${await token.get(either)}`, either);
    });
  }

  return {
    under,
    get: (path, signal) =>
      authorised(signal, (authorization, either) =>
        get({ url: under(path), headers: { authorization, accept: 'application/json' }, tls, signal: either }, now()),
      ),
    post: (path, { type, bytes }, signal) =>
      authorised(signal, (authorization, either) => {
        const headers = { authorization, 'content-type': type, accept: 'application/json' };
        return post({ url: under(path), headers, body: bytes, tls, signal: either }, now());
      }),
    close: () => closing.abort(new RetryableError('gateway.closing', 'the gateway is being stopped')),
  };
}
