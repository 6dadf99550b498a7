import { type Correction, type MachineInterval, maxOpenMs } from '@nhip/core/kpi/corrections';
import {
  type EnergyStep,
  energySteps,
  energyWh,
  type ProductionStep,
  productionSteps,
  productParts,
  type Timed,
} from '@nhip/core/kpi/production';
import { type MachineHistory, machineParts } from '@nhip/core/kpi/scope';
import type { Span } from '@nhip/core/kpi/span';
import { downtimeByReason } from '@nhip/core/kpi/stops';
import { emptySums, type Sums } from '@nhip/core/kpi/sums';
import { contextRange, type MachineTimeline, machineTimeline } from '@nhip/core/kpi/time-model';
import { PermanentError } from '@nhip/core/process/errors';
import type { PlantModel } from '@nhip/core/wire/plant';
import { isCounter, metricNames } from '@nhip/core/wire/vocabulary';
import type { HistoryStore } from '@nhip/stores/history-store';
import type { CorrectionLog } from '../plant-state/correction-log.ts';
import { readStates } from '../state-history.ts';
import { bucketLength, readDense } from './dense-counter.ts';
import type { PlantTime } from './plant-time.ts';
import type { Member } from './scopes.ts';

/** A machine's history, ready to be summed over any part of a span. */
export interface ReadMachine {
  readonly timeline: MachineTimeline;
  /** As the machine said them, before corrections. */
  readonly intervals: readonly MachineInterval[];
  readonly corrections: readonly Correction[];
  sums(span: Span): Sums;
}

export interface MachineReader {
  /**
   * Reads members over a span that ends at `nowMs` or before, with as much around it as its figures depend on. `cuts`: where the
   * span will be cut, when it is only cut there.
   */
  read(members: readonly Member[], span: Span, nowMs: number, cuts?: readonly number[]): Promise<ReadonlyMap<string, ReadMachine>>;
  /** States and stops alone. */
  timelines(machines: readonly string[], span: Span, nowMs: number): Promise<ReadonlyMap<string, ReadMachine>>;
  /** Of a span of which there is no history. */
  nothing(member: Member, span: Span): Sums;
}

export interface MachineReaderDeps {
  readonly store: HistoryStore;
  readonly time: PlantTime;
  readonly plant: PlantModel | null;
  readonly corrections: CorrectionLog;
  readonly unknownAfterMs: number;
  /** Of all machines and counters of one question; more are asked in parts. */
  readonly maxReadings?: number;
}

const counterNames = { good: metricNames.countGood, reject: metricNames.countReject, total: metricNames.countTotal } as const;
type CounterName = keyof typeof counterNames;
const usualReadings = 200_000;
/** How far back a number is looked for behind "no value". */
const lookBackMs = [3_600_000, 86_400_000, 31 * 86_400_000];

interface Pieces {
  readonly production: readonly ProductionStep[] | null;
  readonly energy: readonly EnergyStep[] | null;
}

export function createMachineReader(deps: MachineReaderDeps): MachineReader {
  const { store, time, plant, corrections, unknownAfterMs, maxReadings = usualReadings } = deps;
  let index = { size: -1, metrics: new Map<string, Set<string>>() };

  function metricsOf(machine: string): ReadonlySet<string> {
    const series = store.series();
    // Series only come.
    if (series.length !== index.size) {
      const metrics = new Map<string, Set<string>>();
      for (const each of series) metrics.set(each.machine, (metrics.get(each.machine) ?? new Set()).add(each.metric));
      index = { size: series.length, metrics };
    }
    return index.metrics.get(machine) ?? new Set();
  }

  async function timelines(machines: readonly string[], span: Span, nowMs: number): Promise<ReadonlyMap<string, ReadMachine>> {
    const margin = time.rules.microStopMs + 1;
    const said = await corrections.touching(machines, { from: span.from - margin - maxOpenMs, to: span.to + margin });
    const planned = time.planned({ from: span.from, to: span.to + margin });
    const contexts = machines.map((machine) => contextRange(span, planned, time.rules, said.get(machine)));
    const fromMs = Math.min(...contexts.map(({ from }) => from));
    const toMs = Math.min(nowMs, Math.max(...contexts.map(({ to }) => to)));
    const states = await readStates(store, machines, { fromMs, toMs, unknownAfterMs });
    const found = new Map<string, ReadMachine>();
    for (const machine of machines) {
      const held = said.get(machine) ?? [];
      const intervals = states.get(machine) ?? [];
      const timeline = machineTimeline(intervals, planned, time.rules, held);
      found.set(machine, ready({ timeline, production: null, energy: null }, intervals, held));
    }
    return found;
  }

  function ready(history: MachineHistory, intervals: readonly MachineInterval[], held: readonly Correction[]): ReadMachine {
    return {
      timeline: history.timeline,
      intervals,
      corrections: held,
      sums: (span) => ({
        parts: machineParts(history, span),
        downtime: downtimeByReason(history.timeline, span, time.rules.reasons),
        products: history.production === null ? [] : productParts(history.production, span),
      }),
    };
  }

  function ofMeter(energy: readonly EnergyStep[] | null): ReadMachine {
    // A meter has no states: its time is nobody's.
    const timeline = machineTimeline([], [], time.rules);
    return {
      timeline,
      intervals: [],
      corrections: [],
      sums: (part) => ({ ...emptySums(), parts: { ...emptySums().parts, energyWh: energy === null ? null : energyWh(energy, part) } }),
    };
  }

  /** Counters and meters of machines, all in one question, or one by one where there is too much. */
  async function pieces(members: readonly Member[], span: Span, cuts: readonly number[] | undefined): Promise<ReadonlyMap<string, Pieces>> {
    const wanted = members.map(({ machine }) => {
      const own = metricsOf(machine);
      const counters = Object.values(counterNames).filter((metric) => own.has(metric));
      const others = [metricNames.energyImport, metricNames.cycleIdealMs, metricNames.jobProduct].filter((metric) => own.has(metric));
      return { machine, metrics: [...counters, ...others] };
    });
    try {
      const series = wanted.flatMap(({ machine, metrics }) => metrics.map((metric) => ({ machine, metric })));
      const found = series.length === 0 ? [] : await store.changes(series, span.from, span.to, maxReadings);
      const lists = new Map<string, readonly Timed<unknown>[]>();
      for (const [i, { machine, metric }] of series.entries()) {
        const list = timed(found[i]);
        lists.set(`${machine} ${metric}`, isCounter(metric) ? await withNumberBefore({ machine, metric }, list, span.from) : list);
      }
      return new Map(
        wanted.map(({ machine, metrics }) => [machine, piecesOf(machine, metrics, (metric) => lists.get(`${machine} ${metric}`))]),
      );
    } catch (error) {
      if (!(error instanceof PermanentError && error.code === 'store.tooManySamples')) throw error;
      const [first] = members;
      if (members.length > 1) {
        const half = Math.ceil(members.length / 2);
        const parts = [await pieces(members.slice(0, half), span, cuts), await pieces(members.slice(half), span, cuts)];
        return new Map(parts.flatMap((part) => [...part]));
      }
      if (first === undefined) throw error;
      return new Map([[first.machine, await densePieces(first.machine, wanted[0]?.metrics ?? [], span, cuts)]]);
    }
  }

  /** A counter that said last that it knows no value: the number before that is what it counted from. */
  async function withNumberBefore(
    { machine, metric }: { readonly machine: string; readonly metric: string },
    list: readonly Timed<unknown>[],
    fromMs: number,
  ): Promise<readonly Timed<unknown>[]> {
    const [first] = list;
    if (first === undefined || first.t >= fromMs || typeof first.v === 'number' || typeof first.v === 'bigint') return list;
    for (const backMs of lookBackMs) {
      const { t, last } = await store.buckets({ machine, metric, fromMs: fromMs - backMs, toMs: fromMs, everyMs: backMs, limit: 3 });
      const [at, v] = [t.at(-1), last.at(-1)];
      if (at !== undefined && v !== undefined) return [{ t: Math.min(first.t, Math.max(at, fromMs - backMs)), v }, ...list.slice(1)];
    }
    return list.slice(1);
  }

  /** Of a machine that counts more often than can be read: as few readings as show the same, or in shorter parts. */
  async function densePieces(
    machine: string,
    metrics: readonly string[],
    span: Span,
    cuts: readonly number[] | undefined,
  ): Promise<Pieces> {
    const facts: readonly string[] = metrics.filter((metric) => metric === metricNames.cycleIdealMs || metric === metricNames.jobProduct);
    const found =
      facts.length === 0
        ? []
        : await store.changes(
            facts.map((metric) => ({ machine, metric })),
            span.from,
            span.to,
            maxReadings,
          );
    const lists = new Map<string, readonly Timed<unknown>[]>(facts.map((metric, i) => [metric, timed(found[i])]));
    const cycles = numbers(lists.get(metricNames.cycleIdealMs)).map(({ v }) => v);
    const isWhole = [...cycles, plant?.machines[machine]?.idealCycleMs ?? 0].every((cycleMs) => Number.isInteger(cycleMs));
    const everyMs = cuts === undefined || !isWhole ? undefined : bucketLength([span.from, span.to, ...cuts]);
    const changesMs = [...lists.values()].flat().map(({ t }) => t);
    for (const metric of metrics) {
      if (facts.includes(metric)) continue;
      const series = { machine, metric };
      lists.set(
        metric,
        everyMs === undefined ? await inParts(series, span) : await readDense(store, series, { ...span, everyMs, changesMs }),
      );
    }
    return piecesOf(machine, metrics, (metric) => lists.get(metric));
  }

  async function inParts(series: { readonly machine: string; readonly metric: string }, span: Span): Promise<readonly Timed<unknown>[]> {
    const lengthMs = 600_000;
    const all: Timed<unknown>[] = [];
    for (let from = span.from; from < span.to; from += lengthMs) {
      const [part] = await store.changes([series], from, Math.min(span.to, from + lengthMs), maxReadings);
      // The last one before a part is known from the part before.
      all.push(...timed(part).filter(({ t }) => from === span.from || t >= from));
    }
    return all;
  }

  function piecesOf(machine: string, metrics: readonly string[], list: (metric: string) => readonly Timed<unknown>[] | undefined): Pieces {
    const model = plant?.machines[machine];
    const counter = (metric: string) => {
      const rolloverAt = model?.rolloverAt?.[metric];
      return { readings: numbers(list(metric)), ...(rolloverAt === undefined ? {} : { rolloverAt }) };
    };
    const counters = (Object.entries(counterNames) as [CounterName, string][]).filter(([, metric]) => metrics.includes(metric));
    const plannedMs = model?.idealCycleMs;
    const production = productionSteps({
      ...Object.fromEntries(counters.map(([name, metric]) => [name, counter(metric)])),
      idealCycleMs: (list(metricNames.cycleIdealMs) ?? []).map(({ t, v }) => ({ t, v: typeof v === 'number' ? v : null })),
      products: (list(metricNames.jobProduct) ?? []).map(({ t, v }) => ({ t, v: v === null || v === '' ? null : String(v) })),
      ...(plannedMs === undefined ? {} : { plannedCycleMs: () => plannedMs }),
    });
    const energy = metrics.includes(metricNames.energyImport) ? energySteps(counter(metricNames.energyImport)) : null;
    return { production, energy };
  }

  return {
    timelines,
    async read(members, span, nowMs, cuts) {
      const machines = members.filter(({ role }) => role === 'machine').map(({ machine }) => machine);
      const times = machines.length === 0 ? new Map<string, ReadMachine>() : await timelines(machines, span, nowMs);
      const counted = await pieces(members, span, cuts);
      return new Map(
        members.map(({ machine }) => {
          const { production, energy } = counted.get(machine) ?? { production: null, energy: null };
          const read = times.get(machine);
          return [machine, read === undefined ? ofMeter(energy) : ready({ ...read, production, energy }, read.intervals, read.corrections)];
        }),
      );
    },
    nothing(member, span) {
      if (member.role === 'meter') return emptySums();
      const timeline = machineTimeline([{ ...span, state: 'unknown', reason: null }], time.planned(span), time.rules);
      return ready({ timeline, production: null, energy: null }, [], []).sums(span);
    },
  };
}

function timed(columns: { readonly t: readonly number[]; readonly v: readonly unknown[] } | undefined): readonly Timed<unknown>[] {
  return columns === undefined ? [] : columns.t.map((t, i) => ({ t, v: columns.v[i] }));
}

function numbers(list: readonly Timed<unknown>[] | undefined): readonly Timed<number>[] {
  return (list ?? []).flatMap(({ t, v }) => (typeof v === 'number' ? [{ t, v }] : typeof v === 'bigint' ? [{ t, v: Number(v) }] : []));
}
