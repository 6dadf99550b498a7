import { machineId, type Value } from '@nhip/core/wire/sample';
import { alarmPrefix, isReportedUnreduced, metricNames } from '@nhip/core/wire/vocabulary';
import type { Plant, PlantSnapshot } from './plants/plant.ts';
import { asReported, type Point } from './points.ts';

/** Receives one sample as an edge agent would have reported it; oldest first within each series. Quality is good. */
export type EmitSample = (machine: string, metric: string, timestampMs: number, value: Value) => void;

const stepMs = 10_000;
/** Process values, power and energy are reported this often at most, and only when they moved by their deadband. */
const processIntervalMs = 60_000;
const pauseEveryMs = 3_600_000;
/** An agent repeats what does not change; here the states only, often enough that no silence looks like lost data. */
const heartbeatMs = 300_000;

interface Series {
  readonly machine: string;
  readonly values: Readonly<Record<string, Value>>;
  readonly point: Point;
  readonly deadband: number;
  last: Value | undefined;
  lastMs: number;
}

/**
 * Runs the plant from `fromMs` to `toMs` (ms UTC) as fast as it can and emits what its edge agents would have reported:
 * states, counters, jobs and alarms at every change, process values thinned out. Each machine starts with `Connection` = online
 * and every value.
 *
 * `pause` is awaited after each simulated hour: write what was emitted, or let others run. Resolves with the snapshot from
 * which the simulation continues; the plant itself stands there too.
 */
export async function generateHistory(
  plant: Plant,
  fromMs: number,
  toMs: number,
  emit: EmitSample,
  pause: () => Promise<void> = async () => {},
): Promise<PlantSnapshot> {
  const all = plant.machines.flatMap(({ spec, machine }) => {
    const id = machineId(plant.definition.group, spec.edge, spec.id);
    emit(id, metricNames.connection, fromMs, 'online');
    return spec.kind.points.map<Series>((point) => ({
      machine: id,
      values: machine.values(),
      point,
      deadband: point.deadband ?? 0,
      last: undefined,
      lastMs: 0,
    }));
  });
  const events = all.filter((series) => isEvent(series.point.metric));
  const process = all.filter((series) => !isEvent(series.point.metric));

  for (let atMs = fromMs; atMs < toMs; ) {
    const dtMs = Math.min(stepMs, toMs - atMs);
    plant.step(dtMs, atMs + dtMs);
    reportChanges(events, atMs + dtMs, emit);
    const isDue = Math.floor((atMs + dtMs) / processIntervalMs) !== Math.floor(atMs / processIntervalMs);
    if (isDue || atMs === fromMs) reportChanges(process, atMs + dtMs, emit);
    if (Math.floor((atMs + dtMs) / heartbeatMs) !== Math.floor(atMs / heartbeatMs)) repeatStates(events, atMs + dtMs, emit);
    const hasHourPassed = Math.floor((atMs + dtMs) / pauseEveryMs) !== Math.floor(atMs / pauseEveryMs);
    atMs += dtMs;
    if (hasHourPassed) await pause();
  }
  await pause();
  return plant.snapshot();
}

/** Energy is a counter too, but moves all the time: once a minute is enough for history. */
function isEvent(metric: string): boolean {
  return (isReportedUnreduced(metric) && metric !== metricNames.energyImport) || metric.startsWith(alarmPrefix);
}

function reportChanges(series: readonly Series[], atMs: number, emit: EmitSample): void {
  for (const one of series) {
    const value = one.values[one.point.metric];
    if (value === undefined || value === one.last || isWithin(one.deadband, value, one.last)) continue;
    const reported = asReported(one.point, value);
    if (reported === one.last) continue;
    one.last = reported;
    one.lastMs = atMs;
    emit(one.machine, one.point.metric, atMs, reported);
  }
}

function repeatStates(series: readonly Series[], atMs: number, emit: EmitSample): void {
  for (const { machine, point, last, lastMs } of series) {
    if (point.metric === metricNames.state && last !== undefined && lastMs < atMs) emit(machine, point.metric, atMs, last);
  }
}

function isWithin(deadband: number, value: Value, last: Value | undefined): boolean {
  return typeof value === 'number' && typeof last === 'number' && Math.abs(value - last) < deadband;
}
