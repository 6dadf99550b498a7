import type { KpiRow } from '@nhip/core/kpi/answers';

/** Good pieces that the planned busy time allowed at the ideal cycle, in the mix that was made; null: not known, or nothing was made. */
export function idealPieces({ parts, figures }: Pick<KpiRow, 'parts' | 'figures'>): number | null {
  if (figures.oee === null || figures.oee === 0 || parts.good === 0) return null;
  return parts.good / figures.oee;
}
