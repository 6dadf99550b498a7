import type { DowntimeEntry, DowntimeReasonView, DowntimeStop } from '@nhip/core/kpi/answers';
import type { MachineState } from '@nhip/core/wire/vocabulary';
import { apiUrl, getJson, request } from './http.ts';

export interface StopQuery {
  /** `site`, `line:<id>` or `machine:<id>`. */
  readonly scope: string;
  readonly from: number;
  readonly to: number;
  readonly state?: MachineState | undefined;
  readonly isUnexplained?: boolean | undefined;
}

/** What a person says about a stop. */
export type StopChange =
  | { readonly action: 'reclassify'; readonly reason: string | null }
  | { readonly action: 'split'; readonly atMs: number }
  | { readonly action: 'merge'; readonly with: string }
  | { readonly action: 'withdraw'; readonly correction: string };

export interface StopPage {
  readonly stops: readonly DowntimeStop[];
  /** There are older ones. */
  readonly isCut: boolean;
}

const mostStops = 500;
const stopUrl = (id: string) => `/downtime/${encodeURIComponent(id)}`;

/** Newest first. */
export async function listStops({ scope, from, to, state, isUnexplained }: StopQuery, signal: AbortSignal): Promise<StopPage> {
  const unexplained = isUnexplained === true ? 1 : undefined;
  const query = { scope, from: Math.round(from), to: Math.round(to), state, unexplained, limit: mostStops };
  const { stops, next } = await getJson<{ stops: DowntimeStop[]; next: string | null }>(apiUrl('/downtime', query), signal);
  return { stops, isCut: next !== null };
}

/** The stops that came of the change. Throws HttpProblem. */
export async function changeStop(id: string, change: StopChange): Promise<readonly DowntimeStop[]> {
  const headers = { 'content-type': 'application/json' };
  const response = await request(apiUrl(stopUrl(id)), { method: 'PATCH', headers, body: JSON.stringify(change) });
  return ((await response.json()) as { stops: DowntimeStop[] }).stops;
}

/** Every entry about a stop, oldest first. */
export async function stopHistory(id: string, signal: AbortSignal): Promise<readonly DowntimeEntry[]> {
  return (await getJson<{ entries: DowntimeEntry[] }>(apiUrl(`${stopUrl(id)}/history`), signal)).entries;
}

/** The standard reasons, in the order in which they are offered. */
export async function stopReasons(signal: AbortSignal): Promise<readonly DowntimeReasonView[]> {
  return (await getJson<{ reasons: DowntimeReasonView[] }>(apiUrl('/downtime-reasons'), signal)).reasons;
}
