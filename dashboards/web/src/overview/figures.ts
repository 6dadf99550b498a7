import type { MachineView } from '@nhip/core/wire/live';
import { isMeter, lacksReason, lookOf } from '../state/look.ts';

type Seen = Pick<MachineView, 'state' | 'connection' | 'reason' | 'since' | 'countGood' | 'countIdeal' | 'powerKw' | 'alarms'>;

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
  /** Meters where there are meters, because they already measure the machines; otherwise the sum of the machines. */
  readonly powerKw: number | null;
  readonly alarms: number;
  readonly machinesWithAlarms: number;
}

export function figuresOf(machines: Iterable<Seen>): Figures {
  let [running, withState, stopped, withoutReason, alarms, machinesWithAlarms] = [0, 0, 0, 0, 0, 0];
  let oldest: number | null = null;
  let good: number | null = null;
  let ideal: number | null = null;
  let hasMeters = false;
  let meterKw: number | null = null;
  let machineKw: number | null = null;
  for (const machine of machines) {
    const look = lookOf(machine);
    if (machine.state !== 'unknown' || machine.countGood !== null) withState += 1;
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
    const meter = isMeter(machine);
    hasMeters ||= meter;
    // What cannot be read keeps its last value on the tile, but its watts are not part of "now".
    if (machine.powerKw !== null && machine.connection === 'online') {
      if (meter) meterKw = (meterKw ?? 0) + machine.powerKw;
      else machineKw = (machineKw ?? 0) + machine.powerKw;
    }
    alarms += machine.alarms.length;
    if (machine.alarms.length > 0) machinesWithAlarms += 1;
  }
  const powerKw = hasMeters ? meterKw : machineKw;
  return { running, withState, stopped, withoutReason, oldestWithoutReason: oldest, good, ideal, powerKw, alarms, machinesWithAlarms };
}
