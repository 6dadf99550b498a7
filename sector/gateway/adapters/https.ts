import { RetryableError } from '@nhip/core/process/errors';
import type { AccessToken } from './access-token.ts';
import type { Adapter, Delivery, Parcel } from './adapter.ts';
import { type HttpAnswer, post, type TlsOptions } from './http-request.ts';

export interface HttpsAdapterDeps {
  /** Of the API with its version, `https://sector.example.vn/v1`; from the policy. */
  readonly url: URL;
  readonly token: AccessToken;
  readonly tls: TlsOptions;
  now(): number;
}

/** Sends reports to a sector platform over HTTP: `POST /reports`, the bytes as they are. 201: stored now; 200: was there before. */
export function createHttpsAdapter({ url, token, tls, now }: HttpsAdapterDeps): Adapter {
  const under = (path: string): URL => new URL(`${url.href.replace(/\/$/, '')}${path}`);
  const closing = new AbortController();

  async function authorised(path: string, type: string, body: Uint8Array, signal: AbortSignal): Promise<HttpAnswer> {
    const both = AbortSignal.any([signal, closing.signal]);
    let answer: HttpAnswer | undefined;
    // A token may have been revoked, or the server may have forgotten it: once more with a new one.
    for (let attempt = 0; attempt < 2 && (answer === undefined || answer.status === 401); attempt++) {
      if (answer !== undefined) token.forget();
      const headers = { authorization: `Bearer ${await token.get(both)}`, 'content-type': type, accept: 'application/json' };
      answer = await post({ url: under(path), headers, body, tls, signal: both }, now());
    }
    if (answer === undefined) throw new Error('no attempt was made');
    return answer;
  }

  return {
    kind: 'https',
    async send(parcel: Parcel, signal) {
      const answer = await authorised('/reports', 'application/json', parcel.bytes, signal);
      if (answer.status === 200 || answer.status === 201) {
        return { kind: 'receipt', bytes: answer.body, isRepeat: answer.status === 200 };
      }
      return refusalOf(answer) ?? retryLater(answer, under('/reports'));
    },
    async sendEvents(batch, signal) {
      const path = '/machine-status/events';
      const answer = await authorised(path, 'application/cloudevents-batch+json', batch, signal);
      if (answer.status < 200 || answer.status > 299) retryLater(answer, under(path));
      return { refused: refusedEvents(answer.body) };
    },
    async close() {
      closing.abort(new RetryableError('gateway.closing', 'the gateway is being stopped'));
    },
  };
}

/** How many events the other side will never take; of an answer that does not tell, none. */
function refusedEvents(body: Uint8Array): number {
  try {
    const json = JSON.parse(Buffer.from(body).toString('utf8')) as { readonly refused?: unknown } | null;
    return Array.isArray(json?.refused) ? json.refused.length : 0;
  } catch {
    return 0;
  }
}

/** Statuses that say the report itself is not good. A 403 without findings is about the client, not about the report. */
const refusals: readonly number[] = [400, 409, 413, 422];

function refusalOf({ status, body }: HttpAnswer): Extract<Delivery, { kind: 'refused' }> | undefined {
  const problem = problemOf(body);
  if (!refusals.includes(status) && !(status === 403 && problem.first !== undefined)) return undefined;
  const { first } = problem;
  // Issued in the future, says the other clock: the same bytes are good later, and a wrong clock is wrong for all reports.
  if (first?.code === 'E113') return undefined;
  const detail = first?.en ?? problem.detail ?? `HTTP ${status}`;
  return {
    kind: 'refused',
    code: first?.code ?? String(status),
    pointer: first?.pointer ?? '',
    message: { vi: first?.vi ?? `Bị từ chối: ${detail}`, en: detail },
  };
}

function retryLater({ status, retryAfterMs, body }: HttpAnswer, url: URL): never {
  const { detail } = problemOf(body);
  const advice =
    status === 404 ? ': is the address in the policy right?' : status === 401 || status === 403 ? ': is the client allowed to send?' : '';
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new RetryableError(
    'gateway.answer',
    `${url.href} answered ${status}${detail === undefined ? '' : ` (${detail})`}${advice}`,
    options,
  );
}

interface FirstFinding {
  readonly code: string;
  readonly pointer: string;
  readonly vi: string;
  readonly en: string;
}

interface FoundElsewhere {
  readonly severity?: unknown;
  readonly code?: unknown;
  readonly pointer?: unknown;
  readonly message?: { readonly vi?: unknown; readonly en?: unknown };
}

/** The parts of an RFC 9457 document that are shown. It comes from elsewhere: every text is cut. */
function problemOf(body: Uint8Array): { readonly detail?: string; readonly first?: FirstFinding } {
  try {
    const json = JSON.parse(Buffer.from(body).toString('utf8')) as { detail?: unknown; errors?: unknown };
    const list: unknown[] = Array.isArray(json?.errors) ? json.errors : [];
    const isObject = (each: unknown): each is FoundElsewhere => typeof each === 'object' && each !== null;
    // Warnings may stand beside what the report was refused for.
    const error = list.filter(isObject).find(({ severity }) => severity !== 'warning');
    const text = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '');
    const first =
      error !== undefined
        ? {
            code: text(error.code, 20),
            pointer: text(error.pointer, 200),
            vi: text(error.message?.vi, 500),
            en: text(error.message?.en, 500),
          }
        : undefined;
    const detail = text(json?.detail, 500);
    return { ...(detail === '' ? {} : { detail }), ...(first === undefined ? {} : { first }) };
  } catch {
    return {};
  }
}
