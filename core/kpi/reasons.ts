import type { MachineState } from '../wire/vocabulary.ts';

/** States in which a machine does not produce and which a person may explain or correct. */
export const stopStates = ['setup', 'idle', 'fault', 'maintenance', 'stopped'] as const satisfies readonly MachineState[];
export type StopState = (typeof stopStates)[number];

export function isStopState(state: MachineState): state is StopState {
  return (stopStates as readonly MachineState[]).includes(state);
}

/** Why a machine stood. Codes are those of the production report. */
export interface DowntimeReason {
  readonly code: string;
  /** Planned: outside planned busy time, except set-up. Unplanned: delay (ADET). */
  readonly kind: 'planned' | 'unplanned';
  /** The state that the reason shows: `idle` and `stopped` with this reason count as it. */
  readonly state?: StopState;
}

/** The reason code of stops that nobody explained: the same as no reason. */
export const unexplained = 'unexplained';

/** The twelve codes, in the order in which a list offers them. No order is planned: the machine was not meant to run. */
export const downtimeReasons: readonly DowntimeReason[] = [
  { code: 'breakdown', kind: 'unplanned', state: 'fault' },
  { code: 'setup_changeover', kind: 'planned', state: 'setup' },
  { code: 'material_shortage', kind: 'unplanned' },
  { code: 'labour_shortage', kind: 'unplanned' },
  { code: 'quality_problem', kind: 'unplanned' },
  { code: 'planned_maintenance', kind: 'planned', state: 'maintenance' },
  { code: 'grid_outage', kind: 'unplanned' },
  { code: 'voltage_problem', kind: 'unplanned' },
  { code: 'upstream_downstream', kind: 'unplanned' },
  { code: 'no_order', kind: 'planned' },
  { code: 'other', kind: 'unplanned' },
  { code: unexplained, kind: 'unplanned' },
];

/** Text of a reason (a code of the list, or a code that machines report) → its meaning. */
export type ReasonMap = ReadonlyMap<string, DowntimeReason>;

/**
 * The standard codes, and the plant's: `{ E17: 'breakdown' }` says what the machines' own reason codes mean. Throws a RangeError
 * for a meaning that is no standard code.
 */
export function reasonMap(plantCodes: Readonly<Record<string, string>> = {}): ReasonMap {
  const map = new Map(downtimeReasons.map((reason) => [reason.code, reason]));
  for (const [plantCode, code] of Object.entries(plantCodes)) {
    const reason = downtimeReasons.find((candidate) => candidate.code === code);
    if (reason === undefined) {
      const known = downtimeReasons.map((candidate) => candidate.code).join(', ');
      throw new RangeError(`Reason code ${plantCode} means "${code}", which is none of ${known}`);
    }
    map.set(plantCode, reason);
  }
  return map;
}
