import { PermanentError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { StateInterval } from '@nhip/core/wire/live';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { HistoryStore, SeriesName } from '@nhip/stores/history-store';
import { stateIntervals, type TimedValue } from './states.ts';

const maxChanges = 500_000;
/** Numeric metrics that are asked for signs of life, liveliest first, when the states alone leave a silence. */
const lively: readonly string[] = [metricNames.countGood, metricNames.powerActive, metricNames.energyImport, metricNames.countTotal];
const maxLively = 4;
/** Metrics are repeated every minute when they do not change: two and a half heartbeats without one are no evidence. */
const evidenceMs = 150_000;

export interface StateRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly unknownAfterMs: number;
}

const stateMetrics = [metricNames.state, metricNames.stateReason, metricNames.connection];

/**
 * Reads what machines did from the history: one question to the store for all of them, and a few more for a machine that was
 * silent or lost. Throws a 400 when the range holds too many changes.
 */
export async function readStates(
  store: HistoryStore,
  machines: readonly string[],
  range: StateRange,
): Promise<ReadonlyMap<string, readonly StateInterval[]>> {
  const series = machines.flatMap((machine) => stateMetrics.map((metric) => ({ machine, metric })));
  const found = await readChanges(store, series, range);
  const byMachine = new Map<string, readonly StateInterval[]>();
  for (const [i, machine] of machines.entries()) {
    const [states = [], reasons = [], connections = []] = found.slice(i * stateMetrics.length);
    const known = [states, reasons, connections].flatMap((list) => list.map(({ t }) => t));
    const wasLost = connections.some(({ v }) => v !== 'online');
    // Where no state was ever told, no sign of life makes one.
    const heardMs = states.length === 0 ? [] : await readHeard(store, machine, known, wasLost, range);
    byMachine.set(machine, stateIntervals({ ...range, states, reasons, connections, heardMs, evidenceMs }));
  }
  return byMachine;
}

async function readChanges(
  store: HistoryStore,
  series: readonly SeriesName[],
  range: StateRange,
): Promise<readonly (readonly TimedValue[])[]> {
  try {
    const found = await store.changes(series, range.fromMs, range.toMs, maxChanges);
    return found.map(({ t, v }) => t.map((at, i) => ({ t: at, v: v[i] ?? null })));
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'store.tooManySamples') throw new HttpProblem(400, error.message);
    throw error;
  }
}

/** More times at which the machine was heard of, read only as long as those known so far leave a silence or a loss to explain. */
async function readHeard(
  store: HistoryStore,
  machine: string,
  known: readonly number[],
  wasLost: boolean,
  range: StateRange,
): Promise<readonly number[]> {
  const { fromMs, toMs, unknownAfterMs } = range;
  const everyMs = wasLost ? evidenceMs / 3 : Math.max(1000, Math.ceil(unknownAfterMs / 3));
  // The connection's own samples are no evidence that the machine was heard of.
  const heard: number[] = [];
  for (const [i, metric] of livelyMetrics(store, machine).entries()) {
    if (!hasSilence([...known, ...heard], range) && !(wasLost && i === 0)) break;
    const { t } = await store.buckets({ machine, metric, fromMs: fromMs - unknownAfterMs, toMs, everyMs, limit: maxChanges });
    // Something was heard within the bucket; when exactly does not matter at this scale. Its start is safe: a bucket that begins
    // before a loss says nothing about the time after it.
    heard.push(...t);
  }
  return heard.sort((a, b) => a - b);
}

function livelyMetrics(store: HistoryStore, machine: string): readonly string[] {
  const own = store.series().flatMap((series) => (series.machine === machine ? [series.metric] : []));
  const vocabulary = new Set<string>([metricNames.state, metricNames.stateReason, metricNames.connection]);
  const others = own.filter((metric) => !lively.includes(metric) && !vocabulary.has(metric) && !metric.startsWith('Properties/'));
  return [...lively.filter((metric) => own.includes(metric)), ...others].slice(0, maxLively);
}

function hasSilence(heardMs: readonly number[], { fromMs, toMs, unknownAfterMs }: StateRange): boolean {
  const times = heardMs.filter((t) => t >= fromMs - unknownAfterMs && t < toMs).sort((a, b) => a - b);
  return [...times, toMs].some((t, i) => t - (times[i - 1] ?? fromMs - unknownAfterMs) > unknownAfterMs);
}
