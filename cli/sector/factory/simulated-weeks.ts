import { setImmediate as letOthersRun } from 'node:timers/promises';
import { type Period, periodAt, periodsIn } from '@nhip/core/kpi/periods';
import { energySteps, energyWh, productionSteps, productParts } from '@nhip/core/kpi/production';
import { lineParts, lineProducts, type MachineHistory, machineParts, metersWh, scopeParts } from '@nhip/core/kpi/scope';
import type { Span } from '@nhip/core/kpi/span';
import { downtimeByReason, sumDowntime } from '@nhip/core/kpi/stops';
import type { Sums } from '@nhip/core/kpi/sums';
import { machineTimeline } from '@nhip/core/kpi/time-model';
import { createPlantTime } from '@nhip/live/kpi/plant-time';
import { createScopes, type ScopeMembers } from '@nhip/live/kpi/scopes';
import type { PlantDefinition } from '@nhip/simulators/plants/definition';
import { createPlant, type Plant } from '@nhip/simulators/plants/plant';
import { plantModel } from '@nhip/simulators/plants/plant-model';
import { createRecorder, type Recorder } from './recorder.ts';

/**
 * The past of a simulated plant, as sums. The same definition and seed give the same past, in whatever order and however often it is asked.
 *
 * Each week is simulated on its own, with a seed of its own, so that any day costs at most a week of simulation. Weeks begin on Monday
 * when the day of the books does; the plant must rest in the hours before, then nothing shows where one week was joined to the next.
 */
export interface SimulatedWeeks {
  readonly machines: number;
  /** Days of the books that overlap the span. */
  days(span: Span): readonly Period[];
  /** A day of the books, and before it those of its week that are simulated on the way and were not told yet. One caller at a time. */
  upTo(day: Span): AsyncGenerator<SimulatedDay>;
}

export interface SimulatedDay extends Span {
  /** Hours of the books, in order. */
  readonly hours: readonly (Span & { readonly sums: Sums })[];
  /** The site in any part of the day, computed anew from its history, which it keeps in memory. */
  siteSums(span: Span): Sums;
}

/** The plant cuts longer steps into these anyway. */
const stepMs = 10_000;
const hourMs = 3_600_000;
/** Before the week begins; its shifts are over by then. */
const restMs = 8 * hourMs;

interface Week extends Span {
  readonly plant: Plant;
  readonly recorder: Recorder;
  atMs: number;
  /** Begin of the first day that was not summed yet. */
  nextMs: number;
}

export function createSimulatedWeeks(definition: PlantDefinition, seed: number): SimulatedWeeks {
  const model = plantModel(definition);
  const time = createPlantTime(model);
  const site = createScopes({ plant: model, machines: () => [] })('site');
  if (site === undefined) throw new RangeError(`${definition.id} has no site`);
  let running: Week | undefined;

  function weekAt(atMs: number): Span {
    const week = periodAt(time.calendar, 'week', atMs);
    if (week === null) throw new RangeError(`${atMs} ms is in no week`);
    return week;
  }

  function begin({ from, to }: Span): Week {
    const plant = createPlant(definition, seed + Math.floor(from / (7 * 24 * hourMs)));
    return { from, to, plant, recorder: createRecorder(plant, model), atMs: from - restMs, nextMs: from };
  }

  async function advance(week: Week, toMs: number): Promise<void> {
    while (week.atMs < toMs) {
      week.atMs += stepMs;
      week.plant.step(stepMs, week.atMs);
      week.recorder.look(week.atMs);
      if (week.atMs % hourMs === 0) await letOthersRun();
    }
  }

  function historyOf({ recorder, atMs }: Week, machine: string, planned: readonly Span[]): MachineHistory {
    const counted = recorder.production(machine);
    const energy = recorder.energy(machine);
    return {
      timeline: machineTimeline(recorder.intervals(machine, atMs), planned, time.rules),
      production: counted === null ? null : productionSteps(counted),
      energy: energy === null ? null : energySteps({ readings: energy }),
    };
  }

  function summed(week: Week, day: Span): SimulatedDay {
    const histories = new Map<string, MachineHistory>();
    const planned = time.planned({ from: day.from, to: week.atMs });
    const history = (machine: string): MachineHistory => {
      const known = histories.get(machine) ?? historyOf(week, machine, planned);
      histories.set(machine, known);
      return known;
    };
    const siteSums = (span: Span): Sums => sumsOf(site as ScopeMembers, span, history);
    const hours = periodsIn(time.calendar, 'hour', day).map(({ from, to }) => ({ from, to, sums: siteSums({ from, to }) }));
    return { from: day.from, to: day.to, hours, siteSums };
  }

  const sumsOf = (scope: ScopeMembers, span: Span, history: (machine: string) => MachineHistory): Sums => {
    const meterWh = metersWh(scope.meters.map(({ machine }) => energyWh(history(machine).energy ?? [], span)));
    if (scope.scope.kind === 'site') {
      const lines = scope.children.map((line) => sumsOf(line, span, history));
      return {
        parts: scopeParts(
          lines.map(({ parts }) => parts),
          meterWh,
        ),
        downtime: sumDowntime(lines.map(({ downtime }) => downtime)),
        products: lineProducts(lines.map(({ products }) => ({ parts: products, isOutput: true }))),
      };
    }
    const members = scope.members.map(({ machine, isOutput }) => ({ isOutput, history: history(machine) }));
    return {
      parts: lineParts(
        members.map((each) => ({ isOutput: each.isOutput, parts: machineParts(each.history, span) })),
        meterWh,
      ),
      downtime: sumDowntime(members.map((each) => downtimeByReason(each.history.timeline, span, time.rules.reasons))),
      products: lineProducts(
        members.map((each) => ({ isOutput: each.isOutput, parts: productParts(each.history.production ?? [], span) })),
      ),
    };
  };

  return {
    machines: definition.machines.filter(({ role }) => role === 'machine').length,
    days: (span) => time.days(span),
    async *upTo(day) {
      const week = weekAt(day.from);
      if (running?.from !== week.from || running.nextMs > day.from) running = begin(week);
      const current = running;
      for (const each of time.days({ from: current.nextMs, to: day.to })) {
        // A stop at the end of the day is a micro-stop or not: only what comes after it tells.
        await advance(current, each.to + time.rules.microStopMs + stepMs);
        current.recorder.forget(each.from);
        current.nextMs = each.to;
        yield summed(current, each);
      }
    },
  };
}
