import type { KpiRow } from '@nhip/core/kpi/answers';
import type { PeriodKind } from '@nhip/core/kpi/periods';
import { apiUrl, getJson } from './http.ts';

export interface KpiQuery {
  /** `site`, `line:<id>` or `machine:<id>`. */
  readonly scope: string;
  readonly from: number;
  readonly to: number;
  readonly by: PeriodKind;
  /** Also the lines of the site. */
  readonly hasChildren?: boolean;
}

/** Figures of whole periods that the range touches, oldest first. */
export async function kpiRows({ scope, from, to, by, hasChildren = false }: KpiQuery, signal: AbortSignal): Promise<readonly KpiRow[]> {
  const query = { scope, from: Math.round(from), to: Math.round(to), by, children: hasChildren ? 1 : 0 };
  return (await getJson<{ readonly rows: readonly KpiRow[] }>(apiUrl('/kpi', query), signal)).rows;
}
