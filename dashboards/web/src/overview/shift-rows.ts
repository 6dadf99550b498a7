import type { KpiRow } from '@nhip/core/kpi/answers';

export interface ShiftFigures {
  /** null: no shift runs, or nothing was planned in it so far. */
  readonly site: KpiRow | null;
  readonly lines: ReadonlyMap<string, KpiRow>;
}

/** Rows of the shift that runs at `now`; of shifts that overlap, the one that started first. */
export function shiftFigures(rows: readonly KpiRow[], now: number): ShiftFigures {
  const running = rows.filter(({ period, parts }) => period.from <= now && now < period.to && parts.potMs > 0);
  const site = running.find(({ scope }) => scope.kind === 'site') ?? null;
  const lines = new Map<string, KpiRow>();
  for (const row of running) if (row.scope.kind === 'line' && !lines.has(row.scope.id)) lines.set(row.scope.id, row);
  return { site, lines };
}
