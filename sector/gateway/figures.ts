import type { KpiParts } from '@nhip/core/kpi/parts';
import { digestOf } from '../contract/digest.ts';
import type { Decimal, Digest, FlagNote, Origin, Ratio } from '../contract/report.ts';

/**
 * Where the gateway gets the figures of the plant from: sums of a closed period, whole ms and at most three decimals.
 *
 * There is no machine, no order, no shift and no person in them: what is not here cannot leave. The same period asked again gives the
 * same figures until data arrive late; the gateway notices by comparing.
 */
export interface PlantFigures {
  /**
   * The plant in [fromMs, toMs), ms UTC; always one whole hour, day, week or month of the plant's books.
   * Rejects with RetryableError when they cannot be had now: the period is asked for again, never skipped.
   */
  site(period: { readonly fromMs: number; readonly toMs: number }): Promise<SiteFigures>;
}

export interface SiteFigures {
  /** Machines of the plant, with or without a connection. */
  readonly machinesTotal: number;
  /** Machines that the parts are the sum of: Σ states = this × length of the period. */
  readonly machinesInstrumented: number;
  readonly parts: KpiParts;
  /** Stops by the twelve codes of core/kpi/reasons; each code once. */
  readonly downtime: readonly { readonly reason: string; readonly ms: number; readonly events: number }[];
  readonly output: readonly ProductFigures[];
  readonly energy: readonly EnergyFigures[];
  /** Share of the output that machines counted themselves. Absent: not known. */
  readonly outputMeasuredRatio?: Ratio;
  readonly energyMeasuredRatio?: Ratio;
  /** How far the clock of an edge was off at most. */
  readonly clockMaxSkewMs?: number;
  /** A word about the machine times as a whole, for example after a power cut. */
  readonly flag?: FigureFlag;
}

/** Quantities have at most three decimals, as in KpiParts. */
export interface ProductFigures {
  /** Name inside the plant; it never leaves, see `products` of the configuration. null: the machines did not say. */
  readonly product: string | null;
  readonly produced: number;
  readonly good: number;
  readonly scrap?: number;
  readonly rework?: number;
  /** Σ PRU·PQ and Σ PRU·GQ. Absent: some pieces have no ideal cycle time. */
  readonly idealMs?: number;
  readonly idealGoodMs?: number;
  readonly ratedCapacity?: number;
  readonly origin: Origin;
  readonly flag?: FigureFlag;
}

export interface EnergyFigures {
  /** Code of the list `energy-carrier`. */
  readonly carrier: string;
  readonly unit: string;
  readonly quantity: Decimal;
  readonly exported?: Decimal;
  readonly origin: Origin;
  readonly flag?: FigureFlag;
}

export interface FigureFlag {
  /** SDMX OBS_STATUS */
  readonly obsStatus: string;
  readonly note?: FlagNote;
}

/** Wh as decimal text in kWh: `4120500` → `4120.5`. Fractions of a Wh are rounded. */
export function kwhText(wh: number): Decimal {
  return decimalOf(wh / 1000);
}

/** A number with at most three decimals as decimal text. Throws a RangeError when it is negative or not finite. */
export function decimalOf(value: number): Decimal {
  const thousandths = Math.round(value * 1000);
  if (!Number.isSafeInteger(thousandths) || thousandths < 0) throw new RangeError(`${value} is no quantity of a report`);
  const rest = (thousandths % 1000).toString().padStart(3, '0').replace(/0+$/, '');
  const whole = Math.floor(thousandths / 1000);
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}

/** Names these figures: other figures, another digest. It stays at the factory, since small numbers could be guessed from it. */
export function figuresDigest(figures: SiteFigures): Digest {
  return digestOf(withTextNumbers(figures));
}

/**
 * `sourceHash` of a report: commits to the figures without telling them. Whoever is shown the salt and the figures later can check it;
 * without the salt (32 random bytes, hex) nobody can try numbers out.
 */
export function sourceHashOf(figures: SiteFigures, salt: string): Digest {
  return digestOf({ salt, figures: withTextNumbers(figures) });
}

/** Canonical JSON has no fractions. */
function withTextNumbers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(withTextNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTextNumbers(member)]));
}
