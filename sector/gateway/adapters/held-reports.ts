import { RetryableError } from '@nhip/core/process/errors';
import type { AccessToken } from './access-token.ts';
import type { HeldReport } from './adapter.ts';
import { get, type HttpAnswer, type TlsOptions } from './http-request.ts';

export interface HeldReportsDeps {
  /** Of the API with its version. */
  readonly url: URL;
  readonly token: AccessToken;
  readonly tls: TlsOptions;
  now(): number;
}

/** Newest revisions of a series that are asked for. */
const maxRevisions = 50;

/** Asks a sector platform what it holds of a series: `GET /series/{key}/reports`, then each report and its receipt, byte for byte. */
export function createHeldReports({ url, token, tls, now }: HeldReportsDeps) {
  /** undefined: the platform does not tell this client. */
  async function ask(path: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const target = new URL(`${url.href.replace(/\/$/, '')}${path}`);
    let answer: HttpAnswer | undefined;
    for (let attempt = 0; attempt < 2 && (answer === undefined || answer.status === 401); attempt++) {
      if (answer !== undefined) token.forget();
      const headers = { authorization: `Bearer ${await token.get(signal)}`, accept: 'application/json' };
      answer = await get({ url: target, headers, tls, signal }, now());
    }
    if (answer?.status === 200) return answer.body;
    if (answer?.status === 403 || answer?.status === 404) return undefined;
    const retry = answer?.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
    throw new RetryableError('gateway.answer', `${target.href} answered ${answer?.status}`, retry);
  }

  return async (seriesKey: string, signal: AbortSignal): Promise<readonly HeldReport[]> => {
    const list = await ask(`/series/${encodeURIComponent(seriesKey)}/reports`, signal);
    const held: HeldReport[] = [];
    for (const id of idsIn(list).slice(-maxRevisions)) {
      const bytes = await ask(`/reports/${id}`, signal);
      const receipt = await ask(`/reports/${id}/receipt`, signal);
      if (bytes !== undefined && receipt !== undefined) held.push({ bytes, receipt });
    }
    return held;
  };
}

function idsIn(body: Uint8Array | undefined): readonly string[] {
  if (body === undefined) return [];
  try {
    const { reports } = JSON.parse(Buffer.from(body).toString('utf8')) as { readonly reports?: unknown };
    const rows: readonly unknown[] = Array.isArray(reports) ? reports : [];
    return rows.flatMap((row) => {
      const id = (row as { readonly reportId?: unknown } | null)?.reportId;
      return typeof id === 'string' && /^[0-9a-fA-F-]{36}$/.test(id) ? [id] : [];
    });
  } catch {
    return [];
  }
}
