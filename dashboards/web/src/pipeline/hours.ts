import { type CompletenessRow, type Delivery, deliveryOf } from '@nhip/core/wire/live';

/** What a cell of a strip shows: nothing produced, all there, some missing, much missing. */
export const levels = ['none', 'full', 'some', 'much'] as const;
export type Level = (typeof levels)[number];

export interface HourCell extends Delivery {
  readonly t: number;
  readonly level: Level;
}

/** One line of strips: a metric, or all of a machine. */
export interface HourLine extends Delivery {
  /** Metric; null: all of them; '': nobody knows which. */
  readonly metric: string | null;
  readonly cells: readonly HourCell[];
}

const hourMs = 3_600_000;
const muchBelow = 0.9;

export function levelOf(completeness: number | null): Level {
  if (completeness === null) return 'none';
  if (completeness >= 1) return 'full';
  return completeness < muchBelow ? 'much' : 'some';
}

/** The full hours [fromMs, fromMs + 24 h) that end with the running one. */
export function last24Hours(nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  const toMs = (Math.floor(nowMs / hourMs) + 1) * hourMs;
  return { fromMs: toMs - 24 * hourMs, toMs };
}

/** The machine as a whole, then its metrics, those with something missing first. Every line has a cell for every hour. */
export function hourLines(
  rows: readonly CompletenessRow[],
  fromMs: number,
  toMs: number,
): { readonly all: HourLine; readonly metrics: readonly HourLine[] } {
  const byMetric = new Map<string, CompletenessRow[]>();
  for (const row of rows) {
    const found = byMetric.get(row.metric);
    if (found === undefined) byMetric.set(row.metric, [row]);
    else found.push(row);
  }
  const metrics = [...byMetric].map(([metric, found]) => lineOf(metric, found, fromMs, toMs));
  metrics.sort((a, b) => missingOf(b) - missingOf(a) || (a.metric ?? '').localeCompare(b.metric ?? '', 'en', { numeric: true }));
  return { all: lineOf(null, rows, fromMs, toMs), metrics };
}

export function missingOf({ lost, deadLettered }: Delivery): number {
  return Math.max(0, lost + deadLettered);
}

function lineOf(metric: string | null, rows: readonly CompletenessRow[], fromMs: number, toMs: number): HourLine {
  const cells: HourCell[] = [];
  for (let t = fromMs; t < toMs; t += hourMs) {
    const sums = summed(rows.filter((row) => row.t === t));
    cells.push({ ...sums, t, level: levelOf(sums.completeness) });
  }
  return { ...summed(rows), metric, cells };
}

function summed(rows: readonly Delivery[]): Delivery {
  let [stored, lost, deadLettered] = [0, 0, 0];
  for (const row of rows) {
    stored += row.stored;
    lost += row.lost;
    deadLettered += row.deadLettered;
  }
  return deliveryOf({ stored, lost, deadLettered });
}
