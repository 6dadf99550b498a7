import { counterIncrease } from '@nhip/core/kpi/counter';
import type { Gains, SeriesName, StateTimes, TimesQuery } from '../history-store.ts';
import { addUpStates, requireRows, type StateSpan } from '../state-times.ts';
import type { InfluxServer } from './influx-server.ts';
import { queryLastNumber, queryRange, type Sample } from './queries.ts';

/**
 * Questions in which the order of the samples counts. InfluxQL's differences know no resets and no bucket's first sample, so all samples
 * are read, in pages: right, bounded in memory, and slower the longer the range is.
 */
const pageSamples = 20_000;

/** See HistoryStore.gains. */
export async function queryGains(server: InfluxServer, query: TimesQuery): Promise<readonly Gains[]> {
  const answer: Gains[] = [];
  for (const metric of query.metrics) {
    const name = { machine: query.machine, metric };
    const t: number[] = [];
    const gain: number[] = [];
    let last = (await queryLastNumber(server, name, query.fromMs)) ?? null;
    for await (const { t: at, v } of pages(server, name, query)) {
      const value = typeof v === 'boolean' ? Number(v) : v;
      if (typeof value !== 'number') continue;
      const bucket = Math.floor(at / query.everyMs) * query.everyMs;
      if (t.at(-1) !== bucket) {
        t.push(bucket);
        gain.push(0);
      }
      gain[gain.length - 1] = (gain.at(-1) ?? 0) + counterIncrease(last, value);
      last = value;
    }
    answer.push({ t, gain });
    requireRows(answer, query.limit);
  }
  return answer;
}

/** See HistoryStore.stateTimes. */
export async function queryStateTimes(server: InfluxServer, query: TimesQuery): Promise<readonly StateTimes[]> {
  const answer: StateTimes[] = [];
  for (const metric of query.metrics) {
    const name = { machine: query.machine, metric };
    const [before] = await queryRange(server, { ...name, fromMs: 0, toMs: query.fromMs, limit: 1 }, 'newest');
    const spans: StateSpan[] = [];
    for await (const sample of pages(server, name, query)) {
      const last = wordOf(sample);
      // What only says again what holds already is not kept.
      if (spans.at(-1)?.last !== last) spans.push({ fromMs: sample.t, toMs: sample.t, atMs: sample.t, last, held: [] });
    }
    answer.push(addUpStates(spans, before === undefined ? undefined : wordOf(before), query));
    requireRows(answer, query.limit);
  }
  return answer;
}

function wordOf({ v }: Sample): string | null {
  return typeof v === 'string' ? v : null;
}

/** All samples of a series, oldest first. Pages end between milliseconds: a query can begin nowhere else. */
async function* pages(
  server: InfluxServer,
  name: SeriesName,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): AsyncGenerator<Sample> {
  let from = fromMs;
  let limit = pageSamples;
  while (from < toMs) {
    const page = await queryRange(server, { ...name, fromMs: from, toMs, limit });
    const newest = page.at(-1)?.t ?? from;
    if (page.length < limit) {
      yield* page;
      return;
    }
    const whole = page.filter(({ t }) => t < newest);
    yield* whole;
    // A millisecond that fills a page needs a larger one.
    limit = whole.length === 0 ? limit * 2 : pageSamples;
    from = newest;
  }
}
