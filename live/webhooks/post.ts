import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { checkLiteral, guardedLookup } from './addresses.ts';

export interface PostAnswer {
  readonly status: number;
  /** What the receiver asks for, ms. */
  readonly retryAfterMs: number | undefined;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly allowPrivateNetwork: boolean;
  readonly signal: AbortSignal;
}

/**
 * One POST on a connection of its own. Resolves with the status, redirects too; the body of the answer is not read. Rejects when there
 * is no answer, when the signal aborts, and with PermanentError `live.webhookAddress`.
 */
export async function post(address: string, body: string, { headers, allowPrivateNetwork, signal }: PostOptions): Promise<PostAnswer> {
  const url = new URL(address);
  checkLiteral(url, allowPrivateNetwork);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = send(
      url,
      {
        method: 'POST',
        agent: false,
        lookup: guardedLookup(allowPrivateNetwork),
        signal,
        headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'nhip' },
      },
      (response) => {
        const seconds = Number(response.headers['retry-after']);
        resolve({ status: response.statusCode ?? 0, retryAfterMs: seconds > 0 ? seconds * 1000 : undefined });
        response.destroy();
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
