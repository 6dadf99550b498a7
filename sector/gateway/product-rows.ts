import { toThousandths } from '@nhip/core/kpi/parts';
import type { Output } from '../contract/report.ts';
import type { ProductFigures } from './figures.ts';

/** What products of the plant are called outside: name inside the plant → code. */
export type ProductCodes = ReadonlyMap<string, { readonly scheme: Output['productScheme']; readonly code: string; readonly unit: string }>;

export interface ProductRow extends Omit<ProductFigures, 'product'> {
  readonly scheme: Output['productScheme'];
  readonly code: string;
  readonly unit: string;
}

/** What is not in the map leaves as one sum under a name that tells nothing. */
const unmapped = { scheme: 'LOCAL', code: 'UNMAPPED', unit: 'H87' } as const;

/** One row for each code, unit and origin, in the order in which they appear; products that share them are added up. */
export function productRows(output: readonly ProductFigures[], codes: ProductCodes): readonly ProductRow[] {
  const rows = new Map<string, ProductRow>();
  for (const figures of output) {
    const { scheme, code, unit } = (figures.product === null ? undefined : codes.get(figures.product)) ?? unmapped;
    const { product: _, ...rest } = figures;
    const row = { ...rest, scheme, code, unit };
    const key = [scheme, code, unit, figures.origin].join('/');
    const same = rows.get(key);
    rows.set(key, same === undefined ? row : added(same, row));
  }
  return [...rows.values()];
}

/** An optional part that one of two rows lacks is not known of the sum. */
function added(a: ProductRow, b: ProductRow): ProductRow {
  const optional = <Name extends 'scrap' | 'rework' | 'idealMs' | 'idealGoodMs' | 'ratedCapacity'>(name: Name) => {
    const [x, y] = [a[name], b[name]];
    return x === undefined || y === undefined ? {} : { [name]: toThousandths(x + y) };
  };
  const flag = a.flag ?? b.flag;
  return {
    scheme: a.scheme,
    code: a.code,
    unit: a.unit,
    origin: a.origin,
    produced: toThousandths(a.produced + b.produced),
    good: toThousandths(a.good + b.good),
    ...optional('scrap'),
    ...optional('rework'),
    ...optional('idealMs'),
    ...optional('idealGoodMs'),
    ...optional('ratedCapacity'),
    ...(flag === undefined ? {} : { flag }),
  };
}
