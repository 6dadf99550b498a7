import type { LiveFrame, MachinePatch, MachineView, PlantView } from '@nhip/core/wire/live';

/**
 * What a viewer knows of the plant, as a fold over live frames.
 *
 * Invariants: the state equals the server's state at (`epoch`, `seq`), or the last outcome was `resync` and a
 * snapshot must be asked for. A frame may come twice, late, or not at all; nothing is applied over a gap.
 */
export interface PlantState {
  /** null before the first snapshot. */
  readonly epoch: string | null;
  readonly seq: number;
  readonly plant: PlantView | null;
  readonly machines: ReadonlyMap<string, MachineView>;
}

export interface Applied {
  readonly state: PlantState;
  /** `resync`: frames are missing, ask for a snapshot. `ignored`: old or repeated, or a heartbeat that fits. */
  readonly outcome: 'applied' | 'ignored' | 'resync';
  /** Machines to draw again; `all` after a snapshot. */
  readonly changed: 'all' | readonly string[];
}

export const emptyPlant: PlantState = { epoch: null, seq: 0, plant: null, machines: new Map() };

/** Applies one frame; never throws, never changes its arguments. */
export function applyFrame(state: PlantState, frame: LiveFrame): Applied {
  if (frame.k === 'snap') {
    if (frame.epoch === state.epoch && frame.seq < state.seq) return unchanged(state, 'ignored');
    const machines = new Map(frame.machines.map((machine) => [machine.id, machine]));
    return { state: { epoch: frame.epoch, seq: frame.seq, plant: frame.plant, machines }, outcome: 'applied', changed: 'all' };
  }
  if (frame.k === 'm') return unchanged(state, 'ignored');
  if (frame.epoch !== state.epoch) return unchanged(state, 'resync');
  if (frame.seq <= state.seq) return unchanged(state, 'ignored');
  if (frame.k === 'hb' || frame.seq !== state.seq + 1) return unchanged(state, 'resync');

  const machines = new Map(state.machines);
  for (const patch of frame.machines) machines.set(patch.id, { ...(machines.get(patch.id) ?? blankMachine(patch.id)), ...defined(patch) });
  for (const id of frame.removed ?? []) machines.delete(id);
  const changed = [...frame.machines.map((machine) => machine.id), ...(frame.removed ?? [])];
  return { state: { ...state, seq: frame.seq, machines }, outcome: 'applied', changed };
}

function unchanged(state: PlantState, outcome: 'ignored' | 'resync'): Applied {
  return { state, outcome, changed: [] };
}

/** A machine that a delta names for the first time; the delta fills in what it knows. */
export function blankMachine(id: string): MachineView {
  return {
    id,
    name: id.slice(id.lastIndexOf('/') + 1),
    kind: '',
    line: '',
    state: 'unknown',
    reason: null,
    since: null,
    connection: 'online',
    lastSample: null,
    countGood: null,
    countReject: null,
    countIdeal: null,
    ratePerHour: null,
    powerKw: null,
    product: null,
    alarms: [],
  };
}

/** JSON has no undefined, other transports may: an undefined field says nothing. */
function defined(patch: MachinePatch): MachinePatch {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as MachinePatch;
}
