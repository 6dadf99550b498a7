import type { MachineInterval } from '@nhip/core/kpi/corrections';
import type { ProductionHistory, Timed } from '@nhip/core/kpi/production';
import type { PlantModel } from '@nhip/core/wire/plant';
import { machineId, type Value } from '@nhip/core/wire/sample';
import { isMachineState, type MachineState, metricNames } from '@nhip/core/wire/vocabulary';
import type { Plant } from '@nhip/simulators/plants/plant';
import { asReported, type Point } from '@nhip/simulators/points';

/** Keeps what the machines of a simulated plant say, as an edge agent would have reported it: only what figures are made from. */
export interface Recorder {
  /** Takes what has changed, at the end of a step. */
  look(atMs: number): void;
  /** States from the first look to `toMs`, without gap. */
  intervals(machine: string, toMs: number): readonly MachineInterval[];
  /** null: it counts nothing. */
  production(machine: string): ProductionHistory | null;
  /** Readings in kWh; null: it has no meter. */
  energy(machine: string): readonly Timed<number>[] | null;
  /** Forgets what was said before, but for the last of each; states are kept. */
  forget(beforeMs: number): void;
}

/** How often a meter is read. */
const meterEveryMs = 60_000;

interface Series {
  readonly point: Point;
  readonly everyMs: number;
  said: Timed<Value>[];
}

interface Track {
  readonly values: Readonly<Record<string, Value>>;
  readonly states: { readonly t: number; readonly state: MachineState; readonly reason: string | null }[];
  readonly series: ReadonlyMap<string, Series>;
  readonly plannedMs: number | undefined;
}

const countNames = { good: metricNames.countGood, reject: metricNames.countReject, total: metricNames.countTotal } as const;
const factNames = [metricNames.cycleIdealMs, metricNames.jobProduct];

export function createRecorder(plant: Plant, model: PlantModel): Recorder {
  const tracks = new Map(
    plant.machines.map(({ spec, machine }): [string, Track] => {
      const id = machineId(plant.definition.group, spec.edge, spec.id);
      // What its machines use is in the reading of the main meter.
      const wanted: readonly string[] = spec.role === 'meter' ? [metricNames.energyImport] : [...Object.values(countNames), ...factNames];
      const series = spec.kind.points
        .filter(({ metric }) => wanted.includes(metric))
        .map((point): [string, Series] => {
          const everyMs = point.metric === metricNames.energyImport ? meterEveryMs : 0;
          return [point.metric, { point, everyMs, said: [] }];
        });
      const plannedMs = model.machines[id]?.idealCycleMs;
      return [id, { values: machine.values(), states: [], series: new Map(series), plannedMs }];
    }),
  );

  const find = (machine: string): Track => {
    const found = tracks.get(machine);
    if (found === undefined) throw new RangeError(`${plant.definition.id} has no machine ${machine}`);
    return found;
  };

  function lookAtState({ values, states }: Track, atMs: number): void {
    const state = values[metricNames.state];
    if (!isMachineState(state)) return;
    const text = values[metricNames.stateReason];
    const reason = typeof text === 'string' && text !== '' ? text : null;
    const last = states.at(-1);
    if (last?.state !== state || last.reason !== reason) states.push({ t: atMs, state, reason });
  }

  return {
    look(atMs) {
      for (const track of tracks.values()) {
        lookAtState(track, atMs);
        for (const { point, everyMs, said } of track.series.values()) {
          if (everyMs > 0 && atMs % everyMs !== 0) continue;
          const value = track.values[point.metric];
          const last = said.at(-1)?.v;
          if (value === undefined || value === last) continue;
          const reported = asReported(point, value);
          if (reported !== last) said.push({ t: atMs, v: reported });
        }
      }
    },
    intervals(machine, toMs) {
      const { states } = find(machine);
      return states
        .map(({ t, state, reason }, i) => ({ from: t, to: Math.min(toMs, states[i + 1]?.t ?? toMs), state, reason }))
        .filter(({ from, to }) => from < to);
    },
    production(machine) {
      const { series, plannedMs } = find(machine);
      const counters = Object.entries(countNames).flatMap(([name, metric]) => {
        const found = series.get(metric);
        return found === undefined ? [] : [[name, { readings: numbers(found.said) }]];
      });
      if (counters.length === 0) return null;
      return {
        ...Object.fromEntries(counters),
        idealCycleMs: numbers(series.get(metricNames.cycleIdealMs)?.said ?? []),
        products: (series.get(metricNames.jobProduct)?.said ?? []).map(({ t, v }) => ({ t, v: v === null || v === '' ? null : String(v) })),
        ...(plannedMs === undefined ? {} : { plannedCycleMs: () => plannedMs }),
      };
    },
    energy(machine) {
      const found = find(machine).series.get(metricNames.energyImport);
      return found === undefined ? null : numbers(found.said);
    },
    forget(beforeMs) {
      for (const { series } of tracks.values()) {
        for (const each of series.values()) {
          const keep = each.said.findLastIndex(({ t }) => t < beforeMs);
          if (keep > 0) each.said = each.said.slice(keep);
        }
      }
    },
  };
}

function numbers(said: readonly Timed<Value>[]): readonly Timed<number>[] {
  return said.flatMap(({ t, v }) => (typeof v === 'number' ? [{ t, v }] : []));
}
