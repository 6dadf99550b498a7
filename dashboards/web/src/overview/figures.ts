import type { MachineView, PlantMachineView } from '@nhip/core/wire/live';
import { isMeter, lacksReason, lookOf } from '../state/look.ts';

type Seen = Pick<MachineView, 'state' | 'connection' | 'reason' | 'since' | 'countGood' | 'countIdeal' | 'powerKw' | 'alarms'> & {
  readonly plan?: Pick<PlantMachineView, 'role' | 'measures'> | null;
};

/** Sums over machines; never an average of ratios. */
export interface Figures {
  readonly running: number;
  /** Machines that have a state or pieces: meters have neither. */
  readonly withState: number;
  /** Fault or stopped. */
  readonly stopped: number;
  readonly withoutReason: number;
  /** Start of the oldest stop without a reason, ms. */
  readonly oldestWithoutReason: number | null;
  /** Good pieces of machines that have an ideal to compare with; null when none has. */
  readonly good: number | null;
  readonly ideal: number | null;
  /** kW, nothing counted twice: the meter of the whole plant, else the machines' own power, else the meters. */
  readonly powerKw: number | null;
  readonly alarms: number;
  readonly machinesWithAlarms: number;
}

export function figuresOf(machines: Iterable<Seen>): Figures {
  let [running, withState, stopped, withoutReason, alarms, machinesWithAlarms] = [0, 0, 0, 0, 0, 0];
  let oldest: number | null = null;
  let good: number | null = null;
  let ideal: number | null = null;
  const power = createPower();
  for (const machine of machines) {
    const look = lookOf(machine);
    if (machine.plan ? machine.plan.role === 'machine' : machine.state !== 'unknown' || machine.countGood !== null) withState += 1;
    if (look === 'running') running += 1;
    if (look === 'fault' || look === 'stopped') stopped += 1;
    if (lacksReason(look, machine.reason)) {
      withoutReason += 1;
      if (machine.since !== null) oldest = Math.min(oldest ?? machine.since, machine.since);
    }
    if (machine.countGood !== null && machine.countIdeal !== null) {
      good = (good ?? 0) + machine.countGood;
      ideal = (ideal ?? 0) + machine.countIdeal;
    }
    power.add(machine);
    alarms += machine.alarms.length;
    if (machine.alarms.length > 0) machinesWithAlarms += 1;
  }
  return {
    running,
    withState,
    stopped,
    withoutReason,
    oldestWithoutReason: oldest,
    good,
    ideal,
    powerKw: power.kw(),
    alarms,
    machinesWithAlarms,
  };
}

/** What cannot be read keeps its last value on the tile, but its watts are not part of "now". */
function createPower(): { add(machine: Seen): void; kw(): number | null } {
  let plant: number | null = null;
  let machines: number | null = null;
  let meters: number | null = null;
  return {
    add(machine) {
      if (machine.powerKw === null || machine.connection !== 'online') return;
      if (!isMeter(machine)) machines = (machines ?? 0) + machine.powerKw;
      else if (machine.plan?.measures === 'all') plant = (plant ?? 0) + machine.powerKw;
      else meters = (meters ?? 0) + machine.powerKw;
    },
    kw: () => plant ?? machines ?? meters,
  };
}
