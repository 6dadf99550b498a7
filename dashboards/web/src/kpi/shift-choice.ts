import type { KpiPeriod, KpiRow } from '@nhip/core/kpi/answers';
import type { PeriodKind } from '@nhip/core/kpi/periods';

/** The periods that a person chooses from; `shift` is the running one. */
export const shiftChoices = ['shift', 'lastShift', 'today', 'yesterday', 'week'] as const;
export type ShiftChoice = (typeof shiftChoices)[number];

export function readChoice(text: string | null): ShiftChoice | null {
  return shiftChoices.find((known) => known === text) ?? null;
}

interface Ask {
  readonly by: PeriodKind;
  /** The period is over: the last one that is. Otherwise the one that runs. */
  readonly isOver: boolean;
  /** How far back to look, ms; the second time when the first found nothing. */
  readonly backMs: readonly number[];
}

const hourMs = 3_600_000;
const asks: Readonly<Record<ShiftChoice, Ask>> = {
  shift: { by: 'shift', isOver: false, backMs: [1000] },
  // A weekend is short, Tết is not.
  lastShift: { by: 'shift', isOver: true, backMs: [36 * hourMs, 14 * 24 * hourMs] },
  today: { by: 'day', isOver: false, backMs: [1000] },
  yesterday: { by: 'day', isOver: true, backMs: [36 * hourMs] },
  week: { by: 'week', isOver: false, backMs: [1000] },
};

export type PeriodAsk = (range: { readonly by: PeriodKind; readonly from: number; readonly to: number }) => Promise<readonly KpiRow[]>;

/** The row of the chosen period; null when there is none: no shift runs, or none was worked lately. */
export async function rowOf(choice: ShiftChoice, now: number, ask: PeriodAsk): Promise<KpiRow | null> {
  const { by, isOver, backMs } = asks[choice];
  for (const back of backMs) {
    const rows = await ask({ by, from: now - back, to: now });
    const row = isOver ? lastOver(rows, now) : rows.find(({ period }) => runsAt(period, now));
    if (row !== undefined && row !== null) return row;
  }
  return null;
}

export function runsAt({ from, to }: KpiPeriod, now: number): boolean {
  return from <= now && now < to;
}

function lastOver(rows: readonly KpiRow[], now: number): KpiRow | null {
  let last: KpiRow | null = null;
  for (const row of rows) if (row.period.to <= now && row.period.to > (last?.period.to ?? Number.NEGATIVE_INFINITY)) last = row;
  return last;
}
