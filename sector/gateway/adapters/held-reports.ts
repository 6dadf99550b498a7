import { RetryableError } from '@nhip/core/process/errors';
import { foreignObject } from '../foreign-json.ts';
import type { HeldReport } from './adapter.ts';
import type { PlatformRequests } from './platform-requests.ts';

/** Newest revisions of a series that are asked for. */
const maxRevisions = 50;

/** Asks a sector platform what it holds of a series: `GET /series/{key}/reports`, then each report and its receipt, byte for byte. */
export async function heldReports(platform: PlatformRequests, seriesKey: string, signal: AbortSignal): Promise<readonly HeldReport[]> {
  const list = await ask(platform, `/series/${encodeURIComponent(seriesKey)}/reports`, signal);
  const held: HeldReport[] = [];
  for (const id of idsIn(list).slice(-maxRevisions)) {
    const bytes = await ask(platform, `/reports/${id}`, signal);
    const receipt = await ask(platform, `/reports/${id}/receipt`, signal);
    if (bytes !== undefined && receipt !== undefined) held.push({ bytes, receipt });
  }
  return held;
}

/** undefined: the platform does not tell this client. */
async function ask(platform: PlatformRequests, path: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const { status, body, retryAfterMs } = await platform.get(path, signal);
  if (status === 200) return body;
  if (status === 403 || status === 404) return undefined;
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new RetryableError('gateway.answer', `${platform.under(path).href} answered ${status}`, retry);
}

function idsIn(body: Uint8Array | undefined): readonly string[] {
  const reports = body === undefined ? undefined : foreignObject(body)?.reports;
  const rows: readonly unknown[] = Array.isArray(reports) ? reports : [];
  return rows.flatMap((row) => {
    const id = (row as { readonly reportId?: unknown } | null)?.reportId;
    return typeof id === 'string' && /^[0-9a-fA-F-]{36}$/.test(id) ? [id] : [];
  });
}
