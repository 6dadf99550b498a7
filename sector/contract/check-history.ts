import { boundsIn } from './bounds.ts';
import { type Finding, finding } from './finding.ts';
import { localTime, periodAt } from './period.ts';
import { type Period, type ReportContent, seriesKeyOf } from './report.ts';

/** Fewer earlier values say nothing. */
const minPeriods = 8;
/** Half a year of weeks, two years of months. */
const maxPeriods = 26;
const allowedDeviations = 5;
const weekMs = 7 * 86_400_000;
const weeks = Array.from({ length: maxPeriods }, (_, i) => i + 1);

/** What W201 compares: running seconds, each product's output, each carrier's energy, by name. */
export type Amounts = Readonly<Record<string, number>>;

/** The amounts of a report, as its receiver may keep them for later comparisons. Floats are good enough for a question. */
export function amountsOf(report: ReportContent): Amounts {
  return Object.fromEntries([...namedAmounts(report)].map(([name, { value }]) => [name, value]));
}

/**
 * Series of the earlier periods that a report is compared with, newest first: like with like. An hour and a day are compared with the same
 * hour and the same day of the weeks before, so that nobody has to explain a Sunday; weeks with weeks, months with months.
 */
export function earlierSeriesKeys(report: ReportContent): readonly string[] {
  const { period } = report;
  const startMs = Date.parse(period.from);
  const starts = period.duration === 'P1M' ? monthsBefore(period) : weeks.map((week) => localTime(startMs - week * weekMs));
  return starts.map((from) => seriesKeyOf({ ...report, period: { ...period, from } }));
}

/**
 * W201: an amount more than five robust deviations away from the median of the same amount in `history`, the earlier periods of
 * `earlierSeriesKeys`; what the report's own rounding hides does not count. Needs eight values. A series that never moved has no
 * deviation: a hundredth of its level stands in; of one that was always zero nothing can be said. A withdrawn report has no amounts.
 */
export function checkHistory(report: ReportContent, history: readonly Amounts[]): Finding[] {
  if (report.status === 'withdrawn') return [];
  return [...namedAmounts(report)].flatMap(([name, { pointer, value, width }]) => {
    const values = history.flatMap((amounts) => (Object.hasOwn(amounts, name) ? [amounts[name] ?? 0] : []));
    if (values.length < minPeriods) return [];
    const middle = medianOf(values);
    const deviation = Math.max(robustDeviation(values), Math.abs(middle) / 100);
    if (deviation === 0 || Math.abs(value - middle) - width <= allowedDeviations * deviation) return [];
    return [
      finding('W201', pointer, {
        vi: `${value} khác thường so với ${values.length} kỳ trước tương ứng (trung vị ${middle})`,
        en: `${value} is unusual against ${values.length} earlier periods of its kind (median ${middle})`,
      }),
    ];
  });
}

/** 1.4826 × median absolute deviation: the standard deviation, were the values normal; up to half of them may be anything. */
export function robustDeviation(values: readonly number[]): number {
  const middle = medianOf(values);
  return 1.4826 * medianOf(values.map((each) => Math.abs(each - middle)));
}

function monthsBefore({ from, dayStart }: Period): readonly string[] {
  const starts: string[] = [];
  for (let at = from; starts.length < maxPeriods; starts.push(at)) at = periodAt(Date.parse(at) - 1, 'P1M', dayStart).from;
  return starts;
}

interface NamedAmount {
  readonly pointer: string;
  readonly value: number;
  /** How far the true difference of two such values may be away, for rounded and bucketed ones. */
  readonly width: number;
}

/** Rows of one name are added up. */
function namedAmounts(report: ReportContent): Map<string, NamedAmount> {
  const { machines, production, energy } = report;
  const boundsOf = boundsIn(report);
  const amounts = new Map<string, NamedAmount>();
  const add = (name: string, pointer: string, text: string | number): void => {
    const { low, high } = boundsOf(pointer, text);
    const before = amounts.get(name) ?? { pointer, value: 0, width: 0 };
    amounts.set(name, { ...before, value: before.value + Number(text), width: before.width + Number(high - low) / 1e6 });
  };
  add('running', '/machines/secondsByState/running', machines.secondsByState.running);
  for (const [index, { productScheme, productCode, unit, produced }] of production.output.entries()) {
    add(`${productScheme} ${productCode} ${unit}`, `/production/output/${index}/produced`, produced);
  }
  for (const [index, { carrier, unit, quantity }] of energy.entries()) add(`${carrier} ${unit}`, `/energy/${index}/quantity`, quantity);
  return amounts;
}

/** 0 for no values. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
