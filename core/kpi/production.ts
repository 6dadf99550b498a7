import { counterIncrease } from './counter.ts';
import { toThousandths } from './parts.ts';
import type { Span } from './span.ts';

/** A value from `t` (ms UTC) on. */
export interface Timed<T> {
  readonly t: number;
  readonly v: T;
}

/** Readings of a cumulative counter; begins with the last one before the range. Order and repetition do not matter. */
export interface CounterHistory {
  readonly readings: readonly Timed<number>[];
  /** The value at which it wraps to 0; absent: a drop is a reset. */
  readonly rolloverAt?: number;
}

/**
 * What a machine tells of its pieces. A counter is present when the machine has it, even without a reading in the range: which
 * counters there are decides how pieces are counted, and must not change from period to period.
 */
export interface ProductionHistory {
  readonly good?: CounterHistory;
  readonly reject?: CounterHistory;
  readonly total?: CounterHistory;
  /** The machine's own ideal cycle time, ms, in order of time; wins while it is a positive number. */
  readonly idealCycleMs: readonly Timed<number | null>[];
  /** In order of time. */
  readonly products: readonly Timed<string | null>[];
  /** What the plant model knows; ms, or null. */
  readonly plannedCycleMs?: (product: string | null) => number | null;
}

/** Pieces and their ideal times, as sums; see `KpiParts`. */
export interface PieceParts {
  readonly produced: number;
  readonly good: number;
  readonly scrap: number;
  readonly idealMs: number;
  readonly idealGoodMs: number;
  readonly producedWithoutIdeal: number;
}

export interface ProductParts extends PieceParts {
  readonly product: string | null;
}

/** Pieces that a reading showed; in thousandths, so that sums are exact. */
export interface ProductionStep extends PieceParts {
  readonly t: number;
  readonly product: string | null;
}

type CounterName = 'good' | 'reject' | 'total';
type Weights = readonly [produced: number, good: number, scrap: number];

/**
 * What a piece of each counter adds to produced, good and scrap.
 * - Good and reject: produced is their sum; a total beside them says the same again, or counts what is not judged yet.
 * - Total and one of them: the other is the difference, which may be negative for a moment when they are read at different times.
 * - One alone: all pieces are good, or all are scrap.
 */
const rules: readonly { readonly has: readonly CounterName[]; readonly weights: Partial<Record<CounterName, Weights>> }[] = [
  { has: ['good', 'reject'], weights: { good: [1, 1, 0], reject: [1, 0, 1] } },
  { has: ['good', 'total'], weights: { total: [1, 0, 1], good: [0, 1, -1] } },
  { has: ['reject', 'total'], weights: { total: [1, 1, 0], reject: [0, -1, 1] } },
  { has: ['total'], weights: { total: [1, 1, 0] } },
  { has: ['good'], weights: { good: [1, 1, 0] } },
  { has: ['reject'], weights: { reject: [1, 0, 1] } },
];

/**
 * The gains of all readings, oldest first. A gain belongs to the time stamp of the reading that showed it, with the product and
 * the ideal cycle time that hold then. null: the machine counts nothing.
 */
export function productionSteps(history: ProductionHistory): readonly ProductionStep[] | null {
  const rule = rules.find(({ has }) => has.every((name) => history[name] !== undefined));
  if (rule === undefined) return null;
  const gains: { readonly t: number; readonly gain: number; readonly weights: Weights }[] = [];
  for (const [name, weights] of Object.entries(rule.weights) as [CounterName, Weights][]) {
    for (const { t, gain } of counterGains(history[name] as CounterHistory)) gains.push({ t, gain, weights });
  }
  gains.sort((a, b) => a.t - b.t);

  const productAt = follow(history.products);
  const cycleAt = follow(history.idealCycleMs);
  return gains.map(({ t, gain, weights: [produced, good, scrap] }) => {
    const product = productAt(t) ?? null;
    const cycleMs = usable(cycleAt(t)) ?? usable(history.plannedCycleMs?.(product));
    const ideal = Math.round(gain * (cycleMs ?? 0));
    return {
      t,
      product,
      produced: produced * gain,
      good: good * gain,
      scrap: scrap * gain,
      idealMs: produced * ideal,
      idealGoodMs: good * ideal,
      producedWithoutIdeal: cycleMs === null ? produced * gain : 0,
    };
  });
}

/** Pieces of the period. */
export function pieceParts(steps: readonly ProductionStep[], period: Span): PieceParts {
  return sumPieces(slice(steps, period), 1000);
}

/** Pieces of the period by product, in order of the product's name; products without a piece are left out. */
export function productParts(steps: readonly ProductionStep[], period: Span): readonly ProductParts[] {
  return byProduct(slice(steps, period), 1000);
}

/** Of two scopes or periods. */
export function sumProducts(list: Iterable<readonly ProductParts[]>): readonly ProductParts[] {
  return byProduct([...list].flat(), 1);
}

function byProduct(rows: readonly ProductParts[], unit: number): readonly ProductParts[] {
  const groups = new Map<string | null, ProductParts[]>();
  for (const row of rows) {
    const group = groups.get(row.product);
    if (group === undefined) groups.set(row.product, [row]);
    else group.push(row);
  }
  return [...groups]
    .map(([product, group]) => ({ product, ...sumPieces(group, unit) }))
    .filter((row) => pieceNames.some((name) => row[name] !== 0))
    .sort((a, b) => ((a.product ?? '') < (b.product ?? '') ? -1 : 1));
}

const pieceNames = ['produced', 'good', 'scrap', 'idealMs', 'idealGoodMs', 'producedWithoutIdeal'] as const;

function sumPieces(rows: Iterable<PieceParts>, unit: number): PieceParts {
  const sum = { produced: 0, good: 0, scrap: 0, idealMs: 0, idealGoodMs: 0, producedWithoutIdeal: 0 };
  for (const row of rows) for (const name of pieceNames) sum[name] = toThousandths(sum[name] + row[name]);
  if (unit !== 1) for (const name of pieceNames) sum[name] /= unit;
  return sum;
}

/** Energy that a reading showed, Wh. */
export interface EnergyStep {
  readonly t: number;
  readonly wh: number;
}

/** From readings of a meter in kWh. */
export function energySteps(meter: CounterHistory): readonly EnergyStep[] {
  return counterGains(meter).map(({ t, gain }) => ({ t, wh: gain }));
}

/** Wh of the period. */
export function energyWh(steps: readonly EnergyStep[], period: Span): number {
  let sum = 0;
  for (const { wh } of slice(steps, period)) sum += wh;
  return sum;
}

/** Gains above zero in thousandths, by time. Readings that are negative or not finite are left out. */
function counterGains({ readings, rolloverAt }: CounterHistory): readonly { readonly t: number; readonly gain: number }[] {
  const options = { rolloverAt: rolloverAt === undefined ? undefined : Math.round(rolloverAt * 1000) };
  const gains: { t: number; gain: number }[] = [];
  let previous: number | null = null;
  for (const { t, v } of ordered(readings)) {
    if (!Number.isFinite(v) || v < 0) continue;
    const value = Math.round(v * 1000);
    const gain = counterIncrease(previous, value, options);
    if (gain > 0) gains.push({ t, gain });
    previous = value;
  }
  return gains;
}

/** Of readings with one time stamp the smaller is the earlier, so that the order of arrival does not matter. */
function ordered(readings: readonly Timed<number>[]): readonly Timed<number>[] {
  const order = (a: Timed<number>, b: Timed<number>) => a.t - b.t || a.v - b.v;
  const isOrdered = readings.every((reading, i) => i === 0 || order(readings[i - 1] as Timed<number>, reading) <= 0);
  return isOrdered ? readings : [...readings].sort(order);
}

function slice<Step extends { readonly t: number }>(steps: readonly Step[], { from, to }: Span): readonly Step[] {
  return steps.slice(firstAt(steps, from), firstAt(steps, to));
}

/** Index of the first step at or after `atMs`. */
function firstAt(steps: readonly { readonly t: number }[], atMs: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] as { readonly t: number }).t < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value that holds at a time; times must be asked in order. */
function follow<T>(values: readonly Timed<T>[]): (t: number) => T | undefined {
  let i = -1;
  return (t) => {
    for (let next = values[i + 1]; next !== undefined && next.t <= t; next = values[i + 1]) i++;
    return values[i]?.v;
  };
}

function usable(cycleMs: number | null | undefined): number | null {
  return cycleMs !== null && cycleMs !== undefined && Number.isFinite(cycleMs) && cycleMs > 0 ? cycleMs : null;
}
