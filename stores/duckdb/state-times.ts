import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import { heldMetrics } from '@nhip/core/wire/vocabulary';
import type { SeriesInfo, StateTimes, TimesQuery } from '../history-store.ts';
import { addUpStates, requireRows, type StateSpan } from '../state-times.ts';
import { coldAsHot } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { type LongPlan, planLong } from './long-plan.ts';
import { earliestMs, lookBackMs, seriesInFiles } from './queries.ts';
import type { Span } from './relations.ts';

/** Samples and words of steps that one question may take into memory. */
const maxRows = 500_000;

/** See HistoryStore.stateTimes. Run within `ColdStore.consistent`. */
export async function queryStateTimes(
  connection: DuckDBConnection,
  cold: Cold,
  series: readonly (SeriesInfo | undefined)[],
  query: TimesQuery,
): Promise<readonly StateTimes[]> {
  const { fromMs, toMs, everyMs, limit } = query;
  const answer: StateTimes[] = [];
  for (const each of series) {
    if (each === undefined) {
      answer.push({ t: [], state: [], ms: [] });
      continue;
    }
    const files = isHeld(each.metric) ? cold : { ...cold, files: cold.files.filter(({ kind }) => kind === 'samples') };
    const before = await stateBefore(connection, files, each.id, fromMs);
    const spans = await spansOf(connection, files, each.id, { from: fromMs, to: toMs }, everyMs);
    answer.push(addUpStates(spans, before, query));
    requireRows(answer, limit);
  }
  return answer;
}

/** Of these the roll-ups know how long each word held. */
function isHeld(metric: string): boolean {
  return (heldMetrics as readonly string[]).includes(metric);
}

async function spansOf(connection: DuckDBConnection, cold: Cold, id: number, span: Span, everyMs: number): Promise<readonly StateSpan[]> {
  const plan = await planLong(connection, cold, [id], span, { everyMs });
  const result = await connection.runAndReadAll(`SELECT * FROM (${words(plan)}) ORDER BY t, n, last_t, last_n LIMIT ${maxRows + 1}`, {
    ...span,
  });
  const rows = result.getRows();
  if (rows.length > maxRows) {
    throw new PermanentError('store.tooManySamples', `The range holds more than ${maxRows} changes of one state: ask for a shorter one`);
  }
  const spans: (StateSpan & { held: { state: string | null; ms: number }[] })[] = [];
  for (const [t, , state, seconds, step] of rows) {
    const word = state === null ? null : String(state);
    const fromMs = Number(t);
    if (step === null) {
      spans.push({ fromMs, toMs: fromMs, atMs: fromMs, last: word, held: [] });
      continue;
    }
    const ms = Math.round(Number(seconds) * 1000);
    const known = spans.at(-1);
    // All words of a step held from its first sample to its end.
    if (known !== undefined && known.held.length > 0 && known.atMs === fromMs) {
      known.held.push({ state: word, ms });
      spans[spans.length - 1] = { ...known, fromMs: known.fromMs - ms, last: word };
    } else {
      const endMs = fromMs + Number(step);
      spans.push({ fromMs: endMs - ms, toMs: endMs, atMs: fromMs, last: word, held: [{ state: word, ms }] });
    }
  }
  return spans;
}

/** Samples (`step` null) and one row a step and word, the word that held last being the last: t, n, state, seconds, step, last_t, last_n. */
function words({ hot, samples, rollUps }: LongPlan): string {
  const sample =
    'CASE WHEN k = 3 THEN s END AS state, NULL::DOUBLE AS seconds, NULL::DOUBLE AS step, NULL::DOUBLE AS last_t, NULL::INTEGER AS last_n';
  return [
    `SELECT epoch_ms(t)::DOUBLE AS t, n, ${sample} FROM (SELECT t, n, k, v AS s FROM texts WHERE ${hot})`,
    `SELECT epoch_ms(t)::DOUBLE, n, ${sample} FROM (SELECT t, n, k, NULL AS s FROM samples WHERE ${hot})`,
    ...samples.map(({ files, where }) => `SELECT t, n, ${sample} FROM (${coldAsHot(files, where)})`),
    ...rollUps.map(
      ({ files, where, stepMs }) => `SELECT epoch_ms(time)::DOUBLE, -2, state, seconds, ${stepMs}.0, epoch_ms(last_time)::DOUBLE, last_tick
        FROM ${files} WHERE ${where}`,
    ),
  ].join('\nUNION ALL\n');
}

/** What held at `at`; undefined: nothing was known yet. Looked for near first. */
async function stateBefore(connection: DuckDBConnection, cold: Cold, id: number, at: number): Promise<string | null | undefined> {
  const files = (await seriesInFiles(connection, at)).has(id) ? cold.files : [];
  let to = at;
  for (const back of lookBackMs) {
    const span = { from: Math.max(earliestMs, at - back), to };
    const plan = await planLong(connection, { ...cold, files }, [id], span, { everyMs: 3_600_000 });
    const result = await connection.runAndReadAll(
      `SELECT state FROM (${words(plan)}) ORDER BY t DESC, n DESC, last_t DESC, last_n DESC LIMIT 1`,
      { ...span },
    );
    const [row] = result.getRows();
    if (row !== undefined) return row[0] === null ? null : String(row[0]);
    to = span.from;
  }
  return undefined;
}
