import type { CertificateDecision, EdgeCertificates } from '@nhip/core/wire/edge-control';
import type { Completeness, EdgeHealth, MetricView, PipelineStats, StateInterval } from '@nhip/core/wire/live';
import type { Loss } from '@nhip/core/wire/loss';
import { apiUrl, getJson, request } from './http.ts';

export interface SessionView {
  readonly user: { readonly name: string; readonly role: string } | null;
  readonly canRead: boolean;
  /** How long a device may stay logged in without use, days; 0: not at all. */
  readonly rememberDays: number;
  readonly demo: boolean;
  /** Address of Grafana; null: there is none. */
  readonly grafanaUrl: string | null;
}

/** Columns of one metric: `t` in ms. */
export interface RawHistory {
  readonly t: readonly number[];
  readonly v: readonly (number | boolean | string | null)[];
  readonly q: readonly number[];
}

export interface BucketHistory {
  readonly t: readonly number[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  readonly avg: readonly (number | null)[];
  readonly last: readonly (number | boolean | string | null)[];
  readonly count: readonly number[];
}

export interface HistoryQuery {
  readonly machine: string;
  readonly metric: string;
  readonly from: number;
  readonly to: number;
}

const machineUrl = (id: string) => `/machines/${encodeURIComponent(id)}`;

/** Of `<group>/<edge>`. */
const edgeUrl = (id: string) => `/edges/${id.split('/').map(encodeURIComponent).join('/')}`;

export const api = {
  session: (): Promise<SessionView> => getJson(apiUrl('/session')),

  async login(username: string, password: string, remember: boolean): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    await request(apiUrl('/session'), { method: 'POST', headers, body: JSON.stringify({ username, password, remember }) });
  },

  async logout(): Promise<void> {
    await request(apiUrl('/session'), { method: 'DELETE' });
  },

  async logoutEverywhere(): Promise<void> {
    await request(apiUrl('/sessions'), { method: 'DELETE' });
  },

  allStates: (from: number, to: number): Promise<{ readonly machines: Readonly<Record<string, readonly StateInterval[]>> }> =>
    getJson(apiUrl('/states', { from, to })),

  states: (id: string, from: number, to: number, signal: AbortSignal): Promise<{ readonly intervals: readonly StateInterval[] }> =>
    getJson(apiUrl(`${machineUrl(id)}/states`, { from, to }), signal),

  metrics: (id: string, signal: AbortSignal): Promise<{ readonly metrics: readonly MetricView[] }> =>
    getJson(apiUrl(`${machineUrl(id)}/metrics`), signal),

  raw: (query: HistoryQuery, signal: AbortSignal): Promise<RawHistory> => getJson(apiUrl('/history', { ...query }), signal),

  buckets: (query: HistoryQuery, everyMs: number, signal: AbortSignal): Promise<BucketHistory> =>
    getJson(apiUrl('/history', { ...query, every: everyMs }), signal),

  edges: (signal: AbortSignal): Promise<{ readonly edges: readonly EdgeHealth[] }> => getJson(apiUrl('/health/edges'), signal),

  certificates: (edge: string, signal: AbortSignal): Promise<EdgeCertificates> => getJson(apiUrl(`${edgeUrl(edge)}/certificates`), signal),

  async decide(edge: string, decision: CertificateDecision): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const url = apiUrl(`${edgeUrl(edge)}/certificates/decision`);
    await request(url, { method: 'POST', headers, body: JSON.stringify(decision) });
  },

  completeness: (machine: string, from: number, to: number, signal: AbortSignal): Promise<Completeness> =>
    getJson(apiUrl('/completeness', { machine, from, to }), signal),

  /** Of the last seven days, newest first. */
  losses: (limit: number, signal: AbortSignal): Promise<{ readonly losses: readonly Loss[] }> =>
    getJson(apiUrl('/losses', { limit }), signal),

  stats: (signal: AbortSignal): Promise<PipelineStats> => getJson(apiUrl('/stats'), signal),
};
