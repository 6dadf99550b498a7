import { type Finding, finding } from './finding.ts';
import type { ProductionReport, ReportContent } from './report.ts';

const minPeriods = 8;
const allowedDeviations = 5;

/**
 * W201: an amount more than five robust deviations (1.4826 × median absolute deviation) away from the same amount in earlier periods.
 * Amounts: running seconds, each product's output, each carrier's energy. Needs eight earlier periods of the same series in `history`.
 * Floats are good enough for a question.
 */
export function checkHistory(report: ReportContent, history: readonly ProductionReport[]): Finding[] {
  const earlier = history.filter((each) => each.status !== 'withdrawn' && each.period.duration === report.period.duration).map(amountsOf);
  return [...amountsOf(report)].flatMap(([name, { pointer, value }]) => {
    const values = earlier.flatMap((amounts) => amounts.get(name)?.value ?? []);
    if (values.length < minPeriods) return [];
    const middle = medianOf(values);
    // A series that never moves has no deviation; a hundredth of its level stands in.
    const deviation = Math.max(1.4826 * medianOf(values.map((each) => Math.abs(each - middle))), Math.abs(middle) / 100);
    if (Math.abs(value - middle) <= allowedDeviations * deviation) return [];
    return [
      finding('W201', pointer, {
        vi: `${value} khác thường so với ${values.length} kỳ trước (trung vị ${middle})`,
        en: `${value} is unusual against ${values.length} earlier periods (median ${middle})`,
      }),
    ];
  });
}

function amountsOf({ machines, production, energy }: ReportContent): Map<string, { readonly pointer: string; readonly value: number }> {
  const amounts = new Map<string, { readonly pointer: string; readonly value: number }>();
  amounts.set('running', { pointer: '/machines/secondsByState/running', value: machines.secondsByState.running });
  for (const [index, { productScheme, productCode, unit, produced }] of production.output.entries()) {
    amounts.set(`${productScheme} ${productCode} ${unit}`, { pointer: `/production/output/${index}/produced`, value: Number(produced) });
  }
  for (const [index, { carrier, unit, quantity }] of energy.entries()) {
    amounts.set(`${carrier} ${unit}`, { pointer: `/energy/${index}/quantity`, value: Number(quantity) });
  }
  return amounts;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
