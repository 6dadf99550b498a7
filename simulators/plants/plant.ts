import { metricNames } from '@nhip/core/wire/vocabulary';
import { scheduleAt, type WorkPlan } from '../engine/calendar.ts';
import { type Conveyor, createFeed } from '../engine/feed.ts';
import { createPrng } from '../engine/prng.ts';
import type { Feed, Json, Machine, Schedule } from '../machine.ts';
import type { MachineSpec, PlantDefinition } from './definition.ts';

/** A running plant: its machines, the conveyors between them, the grid and the compressed air. Pure and seeded like its machines. */
export interface Plant {
  readonly definition: PlantDefinition;
  readonly machines: readonly { readonly spec: MachineSpec; readonly machine: Machine }[];
  /** Lets `dtMs` pass; `nowMs` is the time at its end. Long steps are cut into parts, so that machines of a line see each other. */
  step(dtMs: number, nowMs: number): void;
  snapshot(): PlantSnapshot;
  /** Continues from a snapshot of the same plant; machines that the snapshot does not know start anew. Throws for another plant. */
  restore(snapshot: PlantSnapshot): void;
}

export interface PlantSnapshot {
  readonly version: 1;
  readonly plant: string;
  readonly grid: Json;
  readonly levels: readonly number[];
  readonly machines: Readonly<Record<string, Json>>;
}

const longestPartMs = 10_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

interface Member {
  readonly spec: MachineSpec;
  readonly machine: Machine;
  readonly feed: Feed;
  readonly workPlan: WorkPlan;
  schedule: Schedule;
}

export function createPlant(definition: PlantDefinition, seed: number): Plant {
  const random = createPrng(seed, definition.id);
  const conveyors: Conveyor[] = definition.conveyors.map((conveyor) => ({ ...conveyor, level: Math.floor(conveyor.capacity / 3) }));
  const members = definition.machines.map((spec) => createMember(definition, spec, conveyors, seed));
  const compressors = members.filter((member) => 'Pressure/Net' in member.machine.values());
  const meters = members.filter((member) => member.spec.role === 'meter');
  const producers = members.filter((member) => !compressors.includes(member) && !meters.includes(member));
  const grid = { untilOutageMs: random.exponential(definition.outages.meanBetweenMs), outageLeftMs: 0 };
  let scheduledMinute = -1;

  const advanceGrid = (dtMs: number): boolean => {
    if (grid.outageLeftMs > 0) {
      grid.outageLeftMs -= dtMs;
      return grid.outageLeftMs <= 0;
    }
    grid.untilOutageMs -= dtMs;
    if (grid.untilOutageMs > 0) return true;
    grid.outageLeftMs = random.duration(definition.outages.meanLengthMs);
    grid.untilOutageMs = random.exponential(definition.outages.meanBetweenMs);
    return false;
  };

  const advanceSchedules = (nowMs: number): void => {
    const minute = Math.floor(nowMs / minuteMs);
    if (minute === scheduledMinute) return;
    scheduledMinute = minute;
    for (const member of members) member.schedule = scheduleAt(member.workPlan, definition.utcOffsetMs, nowMs);
  };

  const stepPart = (dtMs: number, nowMs: number): void => {
    const isGridOn = advanceGrid(dtMs);
    advanceSchedules(nowMs);
    const air = { demand: 0, bar: compressors.length === 0 ? Infinity : 0 };
    if (isGridOn) for (const { spec, machine } of producers) air.demand += airDrawn(spec, machine);
    const stepMember = (member: Member, airBar: number, loadKw: number): void => {
      const { schedule, feed } = member;
      member.machine.step(dtMs, { nowMs, schedule, isGridOn, airBar, airDemand: air.demand, loadKw, feed });
    };

    for (const member of compressors) {
      stepMember(member, Infinity, 0);
      air.bar = Math.max(air.bar, numberOf(member.machine, 'Pressure/Net'));
    }
    for (const member of producers) stepMember(member, air.bar, 0);
    const loads = loadsByLine();
    const totalKw = [...loads.values()].reduce((sum, kw) => sum + kw, isGridOn ? definition.baseLoadKw : 0);
    for (const member of meters) {
      const { measures } = member.spec;
      stepMember(member, Infinity, measures === 'all' ? totalKw : (loads.get(measures ?? '') ?? 0));
    }
  };

  const loadsByLine = (): Map<string, number> => {
    const loads = new Map<string, number>();
    for (const { spec, machine } of members) {
      if (spec.role === 'machine') loads.set(spec.line, (loads.get(spec.line) ?? 0) + numberOf(machine, metricNames.powerActive));
    }
    return loads;
  };

  return {
    definition,
    machines: members,
    step(dtMs, nowMs) {
      const parts = Math.max(1, Math.ceil(dtMs / longestPartMs));
      const partMs = dtMs / parts;
      for (let part = 1; part <= parts; part++) stepPart(partMs, nowMs - (parts - part) * partMs);
    },
    snapshot: () => ({
      version: 1,
      plant: definition.id,
      grid: { ...grid, random: random.state() },
      levels: conveyors.map((conveyor) => conveyor.level),
      machines: Object.fromEntries(members.map(({ spec, machine }) => [spec.id, machine.snapshot()])),
    }),
    restore(snapshot) {
      if (snapshot.version !== 1 || snapshot.plant !== definition.id) {
        throw new TypeError(
          `the snapshot is of plant ${snapshot.plant} (version ${snapshot.version}), not of ${definition.id} (version 1)`,
        );
      }
      const saved = snapshot.grid as { untilOutageMs: number; outageLeftMs: number; random: Json };
      grid.untilOutageMs = saved.untilOutageMs;
      grid.outageLeftMs = saved.outageLeftMs;
      random.restore(saved.random);
      for (const [i, conveyor] of conveyors.entries()) conveyor.level = Math.min(conveyor.capacity, snapshot.levels[i] ?? 0);
      for (const { spec, machine } of members) {
        const state = snapshot.machines[spec.id];
        if (state !== undefined) machine.restore(state);
      }
    },
  };
}

function createMember(definition: PlantDefinition, spec: MachineSpec, conveyors: readonly Conveyor[], seed: number): Member {
  const shifts = definition.shifts.map((shift) => ({ shift, days: spec.works[shift.id] ?? [] }));
  return {
    spec,
    machine: spec.create(seed),
    feed: createFeed(spec.id, conveyors),
    workPlan: { shifts, breaks: spec.breaks, holidays: spec.worksOnHolidays === true ? [] : definition.holidays.flatMap(datesOf) },
    schedule: 'off',
  };
}

function datesOf({ date, lastDate = date }: PlantDefinition['holidays'][number]): readonly string[] {
  const dates: string[] = [];
  for (let day = Date.parse(date); day <= Date.parse(lastDate); day += dayMs) dates.push(new Date(day).toISOString().slice(0, 10));
  return dates;
}

/** A standing machine leaks a little. */
function airDrawn(spec: MachineSpec, machine: Machine): number {
  const isRunning = machine.values()[metricNames.state] === 'running';
  return spec.airRate * (isRunning ? 1 : 0.15);
}

function numberOf(machine: Machine, metric: string): number {
  const value = machine.values()[metric];
  return typeof value === 'number' ? value : 0;
}
