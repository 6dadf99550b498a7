import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { RetryableError } from '@nhip/core/process/errors';

export interface HttpRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly tls: TlsOptions;
  readonly signal: AbortSignal;
}

/** PEM texts. The certificate of the server is always verified. */
export interface TlsOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** From `Retry-After`; a date is turned into a wait. */
  readonly retryAfterMs?: number;
}

/** A receipt has a few kB; a problem document not more. */
const maxAnswerBytes = 262_144;

/** One POST. Rejects with RetryableError when there is no whole answer, or with the reason of the signal. Redirects are not followed. */
export function post(request: HttpRequest, nowMs: number): Promise<HttpAnswer> {
  const { headers, body } = request;
  return exchange('POST', { ...request, headers: { ...headers, 'content-length': String(body.length) } }, nowMs);
}

/** One GET; as `post`. */
export function get(request: Omit<HttpRequest, 'body'>, nowMs: number): Promise<HttpAnswer> {
  return exchange('GET', request, nowMs);
}

function exchange(method: 'GET' | 'POST', request: Omit<HttpRequest, 'body'> & { readonly body?: Uint8Array }, nowMs: number) {
  const { url, headers, body, tls, signal } = request;
  return new Promise<HttpAnswer>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const fail = (error: unknown): void => {
      const words = error instanceof Error ? error.message || ('code' in error ? String(error.code) : error.name) : String(error);
      reject(signal.aborted ? signal.reason : new RetryableError('gateway.connection', `${url.origin}: ${words}`, { cause: error }));
    };
    const options = {
      method,
      headers,
      signal,
      // A connection of its own: a kept one that the other side just closed looks like a lost report.
      agent: false,
    } as const;
    const onAnswer = (answer: IncomingMessage): void => {
      bodyOf(answer).then((bytes) => {
        const retryAfterMs = retryAfter(answer.headers['retry-after'], nowMs);
        resolve({ status: answer.statusCode ?? 0, body: bytes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
      }, fail);
    };
    const sent =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ...tls, rejectUnauthorized: true, minVersion: 'TLSv1.2' }, onAnswer)
        : httpRequest(url, options, onAnswer);
    sent.on('error', fail);
    sent.end(body);
  });
}

async function bodyOf(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) {
      answer.destroy();
      throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  if (!answer.complete) throw new Error('the answer broke off');
  return Buffer.concat(chunks);
}

function retryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d{1,7}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
