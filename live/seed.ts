import { quality } from '@nhip/core/wire/sample';
import { type Connection, connections, metricNames } from '@nhip/core/wire/vocabulary';
import type { HistoryStore, LatestValue } from '@nhip/stores/history-store';
import type { LiveHub } from './hub.ts';

const dayMs = 86_400_000;
const maxChanges = 20_000;
/** Counters are replayed in steps of this length: exact but for what a reset hides within one step. */
const counterStepMs = 15_000;
const maxSteps = 10_000;
/** At least this much is replayed, so that the rate of the last 15 minutes is known. */
const minReplayMs = 20 * 60_000;
const atOnce = 4;

const counters: readonly string[] = [metricNames.countGood, metricNames.countReject];

/**
 * Fills the hub from the history: current values, since when each state holds, and the pieces of the running shift.
 * `unit` is asked for the unit of a metric. Call `hub.advance` first. Throws what the store throws.
 */
export async function seedHub(
  hub: LiveHub,
  store: HistoryStore,
  nowMs: number,
  unit: (machine: string, metric: string) => string | null,
): Promise<void> {
  const latest = await store.latest();
  const replayed = latest.filter(({ metric }) => metric === metricNames.state || counters.includes(metric));
  const windowFrom = hub.plant().shift?.from ?? nowMs - dayMs;
  const fromMs = Math.min(windowFrom, nowMs - minReplayMs);
  const queue = [...replayed];
  const worker = async (): Promise<void> => {
    for (let series = queue.shift(); series !== undefined; series = queue.shift()) {
      if (series.metric === metricNames.state) await seedState(hub, store, series, fromMs);
      else await seedCounter(hub, store, series, fromMs, nowMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const { machine, metric, t, v, q } of latest) {
    if (metric === metricNames.connection) {
      if (isConnection(v)) hub.applyConnection(machine, v);
    } else hub.applySample(machine, metric, t, v, q, { historical: true, unit: unit(machine, metric) ?? undefined });
  }
}

export function isConnection(value: unknown): value is Connection {
  return typeof value === 'string' && connections.some((connection) => connection === value);
}

/** Replays the states of the window; looks further back when the state did not change in it. */
async function seedState(hub: LiveHub, store: HistoryStore, { machine, metric, t, v }: LatestValue, fromMs: number): Promise<void> {
  const read = (from: number, to: number) => store.range({ machine, metric, fromMs: from, toMs: to, limit: maxChanges });
  const inWindow = await read(fromMs, t + 1);
  const replay = inWindow.t.map((at, i) => ({ at, value: inWindow.v[i] ?? null }));
  if (replay.every(({ value }) => value === v) || replay[0]?.value !== v) {
    // The change into the state that held at the start of the window; a repeated value is not a change.
    const earlier = await read(fromMs - 7 * dayMs, fromMs);
    const held = earlier.v.at(-1);
    const before = earlier.v.findLastIndex((value) => value !== held);
    const start = earlier.t[before + 1];
    if (held !== undefined && start !== undefined) replay.unshift({ at: start, value: held });
  }
  for (const { at, value } of replay) hub.applySample(machine, metric, at, value, quality.good, { historical: true });
}

async function seedCounter(
  hub: LiveHub,
  store: HistoryStore,
  { machine, metric }: LatestValue,
  fromMs: number,
  nowMs: number,
): Promise<void> {
  const from = Math.floor(fromMs / counterStepMs) * counterStepMs;
  const before = await store.lastBefore(machine, metric, from);
  if (before !== undefined) hub.applySample(machine, metric, before.t, before.v, quality.good, { historical: true });
  const { t, min, last } = await store.buckets({ machine, metric, fromMs: from, toMs: nowMs, everyMs: counterStepMs, limit: maxSteps });
  // Without a reading before, what the first bucket gained counts from its smallest value.
  if (before === undefined && t[0] !== undefined)
    hub.applySample(machine, metric, t[0] - 1, min[0] ?? null, quality.good, { historical: true });
  // At the start of its bucket, so that the newest value, applied with its own time stamp, still counts.
  for (const [i, at] of t.entries()) hub.applySample(machine, metric, at, last[i] ?? null, quality.good, { historical: true });
}
