import { decimalText } from '../decimal.ts';
import { units } from './units.ts';

/**
 * Tonnes of oil equivalent by the official factors. Electricity counts as primary energy: 0.0001543 TOE/kWh is 1.79 times its physical
 * energy, so TOE must never be computed from joules. A report carries the metered quantity; this is for readers of reports.
 */
export interface FactorTable {
  readonly id: string;
  readonly validFrom: string;
  readonly validTo?: string;
  readonly source: string;
  readonly factors: readonly Factor[];
}

/** TOE for one `unit`; a table that prints a range gives both ends. */
interface Factor {
  readonly carrier: string;
  readonly unit: string;
  readonly low: string;
  readonly high: string;
  readonly remark?: string;
}

const exact = (carrier: string, unit: string, factor: string): Factor => ({ carrier, unit, low: factor, high: factor });

export const toeTables: readonly FactorTable[] = [
  {
    id: 'VN-TOE-2011',
    validFrom: '2011-04-19',
    source: 'Letter 3505/BCT-KHCN of 19 April 2011, as reproduced by several sites',
    factors: [
      exact('electricity_grid', 'KWH', '0.0001543'),
      { carrier: 'coke', unit: 'TNE', low: '0.70', high: '0.75' },
      exact('coal_dust_1_2', 'TNE', '0.70'),
      exact('coal_dust_3_4', 'TNE', '0.60'),
      { carrier: 'coal_dust_5_6', unit: 'TNE', low: '0.50', high: '0.50', remark: 'One reproduction prints 0.60' },
      exact('diesel', 'TNE', '1.02'),
      exact('diesel', 'LTR', '0.00088'),
      exact('fuel_oil', 'TNE', '0.99'),
      exact('fuel_oil', 'LTR', '0.00094'),
      exact('lpg', 'TNE', '1.09'),
      exact('natural_gas', 'MTQ', '0.0009'),
      exact('gasoline', 'TNE', '1.05'),
      exact('gasoline', 'LTR', '0.00083'),
      exact('jet', 'TNE', '1.05'),
    ],
  },
];

/** The table in force at a date (`YYYY-MM-DD`). */
export function toeTableAt(atDate: string): FactorTable | undefined {
  return toeTables.findLast(({ validFrom, validTo }) => validFrom <= atDate && (validTo === undefined || atDate <= validTo));
}

/**
 * TOE of a metered quantity (decimal text), rounded down to a millionth; `low` and `high` differ where the table prints a range. Undefined
 * when no table is in force or it has no factor for the carrier in a unit of this kind.
 */
export function toeOf(
  { carrier, unit, quantity }: { readonly carrier: string; readonly unit: string; readonly quantity: string },
  atDate: string,
): { readonly low: string; readonly high: string; readonly table: string } | undefined {
  const table = toeTableAt(atDate);
  const known = table?.factors.filter((factor) => factor.carrier === carrier) ?? [];
  const factor = known.find((each) => each.unit === unit) ?? known.find((each) => ratio(unit, each.unit) !== undefined);
  const scale = factor === undefined ? undefined : ratio(unit, factor.unit);
  if (table === undefined || factor === undefined || scale === undefined) return undefined;
  const toe = (by: string): string => decimalText((nano(quantity) * nano(by) * scale.times) / (scale.over * 10n ** 12n));
  return { low: toe(factor.low), high: toe(factor.high), table: table.id };
}

/** How many `to` one `from` is, when both measure the same. */
function ratio(from: string, to: string): { readonly times: bigint; readonly over: bigint } | undefined {
  const [a, b] = [from, to].map((code) => units.find((unit) => unit.code === code));
  if (a?.factor === undefined || b?.factor === undefined || a.quantity !== b.quantity) return undefined;
  return { times: nano(a.factor), over: nano(b.factor) };
}

/** Billionths of a decimal text: factors have up to seven digits after the point. */
function nano(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
