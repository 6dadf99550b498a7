import { type MachineState, machineStates } from '../wire/vocabulary.ts';

/** Whole seconds for a report: half a second rounds up, so the order of two times is kept (APT ≤ PBT). */
export function wholeSeconds(ms: number): number {
  return Math.floor((ms + 500) / 1000);
}

/**
 * Whole seconds by state whose sum is exactly the whole seconds of the sum: each is rounded down, and the seconds that are left go to the
 * largest rests, to the state listed first when rests are equal.
 */
export function secondsByState(statesMs: Readonly<Record<MachineState, number>>): Readonly<Record<MachineState, number>> {
  const seconds = Object.fromEntries(machineStates.map((state) => [state, Math.floor(statesMs[state] / 1000)])) as Record<
    MachineState,
    number
  >;
  const totalMs = machineStates.reduce((sum, state) => sum + statesMs[state], 0);
  const given = machineStates.reduce((sum, state) => sum + seconds[state], 0);
  const byRest = [...machineStates].sort((a, b) => (statesMs[b] % 1000) - (statesMs[a] % 1000));
  for (const state of byRest.slice(0, wholeSeconds(totalMs) - given)) seconds[state]++;
  return seconds;
}
