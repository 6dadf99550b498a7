import type { SharingOverview, SharingPolicyVersion, SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';
import type { Language } from '../i18n/translate.ts';
import { apiUrl, getJson, request } from './http.ts';

const root = '/sharing';
const reportUrl = (id: string) => `${root}/reports/${encodeURIComponent(id)}`;
const mostReports = 100;

export const sharingApi = {
  overview: (signal: AbortSignal): Promise<SharingOverview> => getJson(apiUrl(root), signal),

  /** Newest first. */
  reports: (signal: AbortSignal): Promise<{ readonly reports: readonly SharingReport[]; readonly next: string | null }> =>
    getJson(apiUrl(`${root}/reports`, { limit: mostReports }), signal),

  report: (id: string, signal: AbortSignal): Promise<SharingReportDetail> => getJson(apiUrl(reportUrl(id)), signal),

  policies: (signal: AbortSignal): Promise<{ readonly policies: readonly SharingPolicyVersion[] }> =>
    getJson(apiUrl(`${root}/policies`), signal),

  /** Byte for byte. */
  receipt: async (id: string): Promise<string> => (await request(apiUrl(`${reportUrl(id)}/receipt`))).text(),
};

/** What a person decides. Words of a refusal come in `language`. */
export type SharingDecision =
  | { readonly kind: 'approve'; readonly report: string; readonly digest: string }
  | { readonly kind: 'hold' | 'release' | 'withdraw'; readonly report: string }
  | { readonly kind: 'revoke'; readonly recipient: string; readonly product: 'vn.sector.production-report' | 'vn.sector.machine-status' }
  | { readonly kind: 'approvePolicy'; readonly digest: string };

/** Throws HttpProblem with the desk's own words. */
export async function decideSharing(decision: SharingDecision, language: Language): Promise<void> {
  const headers = { 'content-type': 'application/json', 'accept-language': language };
  const [path, body] = targetOf(decision);
  await request(apiUrl(path), { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Proposes a version of the policy; the answer is the version as it is known now. Throws HttpProblem with the desk's own words. */
export async function proposePolicy(yaml: string, language: Language): Promise<SharingPolicyVersion> {
  const headers = { 'content-type': 'application/json', 'accept-language': language };
  const response = await request(apiUrl(`${root}/policies`), { method: 'POST', headers, body: JSON.stringify({ yaml }) });
  return (await response.json()) as SharingPolicyVersion;
}

function targetOf(decision: SharingDecision): readonly [path: string, body: object] {
  switch (decision.kind) {
    case 'approve':
      return [`${reportUrl(decision.report)}/approve`, { digest: decision.digest }];
    case 'revoke':
      return [`${root}/recipients/${encodeURIComponent(decision.recipient)}/revoke`, { product: decision.product }];
    case 'approvePolicy':
      return [`${root}/policies/${encodeURIComponent(decision.digest)}/approve`, {}];
    default:
      return [`${reportUrl(decision.report)}/${decision.kind}`, {}];
  }
}
