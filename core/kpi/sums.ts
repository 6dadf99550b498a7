import { emptyParts, type KpiParts, sumParts } from './parts.ts';
import { type ProductParts, sumProducts } from './production.ts';
import { type DowntimeByReason, sumDowntime } from './stops.ts';

/** All that is added over machines and periods. */
export interface Sums {
  readonly parts: KpiParts;
  readonly downtime: DowntimeByReason;
  readonly products: readonly ProductParts[];
}

export function emptySums(): Sums {
  return { parts: emptyParts(), downtime: {}, products: [] };
}

/** Of scopes or periods that do not overlap, exactly. */
export function addSums(list: readonly Sums[]): Sums {
  return {
    parts: sumParts(list.map(({ parts }) => parts)),
    downtime: sumDowntime(list.map(({ downtime }) => downtime)),
    products: sumProducts(list.map(({ products }) => products)),
  };
}
