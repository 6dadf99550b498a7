import { parquet } from './cold-catalog.ts';
import { coldAsHot, within } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A condition on `series`. The ids are the store's own numbers. */
export function ofSeries(ids: readonly number[]): string {
  if (ids.length === 1) return `series = ${Number(ids[0])}`;
  return ids.length === 0 ? 'false' : `series IN (${ids.map(Number).join(', ')})`;
}

/** Names of the files of samples that reach into the span. */
export function samplesIn({ files }: Cold, { from, to }: Span): readonly string[] {
  return files.filter(({ kind, fromMs, toMs }) => kind === 'samples' && fromMs < to && toMs > from).map(({ name }) => name);
}

/** All samples of the series in [$from, $to), hot and cold (of `coldIds` only), as one relation: series, t (ms), n, v, s, k, q. */
export function samplesOfSeries(cold: Cold, ids: readonly number[], span: Span, coldIds: readonly number[] = ids): string {
  const wanted = ofSeries(ids);
  const names = samplesIn(cold, span);
  const parts = [
    `SELECT series, epoch_ms(t)::DOUBLE AS t, n, v, NULL AS s, k, q FROM samples WHERE ${wanted} AND ${within('t')}`,
    `SELECT series, epoch_ms(t)::DOUBLE AS t, n, NULL AS v, v AS s, k, q FROM texts WHERE ${wanted} AND ${within('t')}`,
  ];
  if (names.length > 0 && coldIds.length > 0)
    parts.push(coldAsHot(parquet(cold.folder, names), `${ofSeries(coldIds)} AND ${within('time')}`));
  return parts.join('\nUNION ALL\n');
}
