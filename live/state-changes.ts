import type { LiveFrame, MachineView } from '@nhip/core/wire/live';
import type { MachineState } from '@nhip/core/wire/vocabulary';
import type { LiveHub } from './hub.ts';

/** A machine went into another state. */
export interface StateChange {
  /** Id `<group>/<edge>/<device>`. */
  readonly machine: string;
  /** `unknown` while there is no connection to it: what it does then nobody can tell. */
  readonly state: MachineState;
  /** ms UTC, later than that of the change before: by the clock of the edge, or when the server learned of it. */
  readonly sinceMs: number;
}

/** Changes nearer to each other than this would have the same time where times are told in hundredths of a second. */
const leastStepMs = 10;

/**
 * Reads state changes from the frames of the hub, once per tick: a state that lasts less than a tick is not seen. What the hub shows now is
 * where it begins: it is told to nobody.
 */
export function createStateChanges(hub: Pick<LiveHub, 'machines' | 'machine'>): { read(frame: LiveFrame | null): readonly StateChange[] } {
  const told = new Map(hub.machines().map((view) => [view.id, { state: stateOf(view), sinceMs: view.since ?? 0 }]));
  return {
    read(frame) {
      if (frame === null || (frame.k !== 'd' && frame.k !== 'snap')) return [];
      return frame.machines.flatMap(({ id }) => {
        const view = hub.machine(id);
        if (view === undefined) return [];
        const before = told.get(id) ?? { state: 'unknown', sinceMs: 0 };
        const state = stateOf(view);
        if (state === before.state) return [];
        const nextMs = before.sinceMs + leastStepMs;
        // Lost or found again: its own time of the state is older than that.
        const isNew = state === view.state && view.since !== null && view.since >= nextMs;
        const sinceMs = isNew ? (view.since ?? frame.t) : Math.max(frame.t, nextMs);
        told.set(id, { state, sinceMs });
        return [{ machine: id, state, sinceMs }];
      });
    },
  };
}

function stateOf({ state, connection }: MachineView): MachineState {
  return connection === 'online' ? state : 'unknown';
}
