import { shiftAt, type WorkedShift } from '@nhip/core/kpi/calendar';
import { plantDay } from '@nhip/core/kpi/shift';
import type { DeltaFrame, HeartbeatFrame, MachinePatch, MachineView, MetricView, PlantView, SnapshotFrame } from '@nhip/core/wire/live';
import type { PlantModel } from '@nhip/core/wire/plant';
import type { MachineId, Value } from '@nhip/core/wire/sample';
import type { Connection } from '@nhip/core/wire/vocabulary';
import { plantCalendar } from './kpi/plant-time.ts';
import { createMachineTracker, type MachineTracker, type SampleOptions } from './machine-tracker.ts';
import type { CountWindow } from './shift-count.ts';

/**
 * The live picture of the plant: current values in, frames out. Pure: no clock, no I/O.
 *
 * Invariants: a snapshot is exactly what a viewer holds that applied every delta up to its `seq` (updates that came after the
 * last tick are in neither); each tick computes one delta for everybody, whatever the number of viewers or updates.
 */
export interface LiveHub {
  readonly epoch: string;
  /** Moves the hub's clock, and with it the running shift. `tick` does it too; call it before samples are applied at start. */
  advance(nowMs: number): void;
  applySample(machine: MachineId, metric: string, timestampMs: number, value: Value, quality: number, options?: SampleOptions): void;
  applyConnection(machine: MachineId, connection: Connection): void;
  /**
   * The frame for every viewer, or null when there is nothing to say: a delta when something changed, a heartbeat once a
   * second when nothing did, a whole snapshot when the running shift changed (a delta does not carry the plant).
   */
  tick(nowMs: number): DeltaFrame | HeartbeatFrame | SnapshotFrame | null;
  snapshot(nowMs: number): SnapshotFrame;
  /** As published by the last tick. */
  machines(): readonly MachineView[];
  machine(machine: MachineId): MachineView | undefined;
  /** Newest value of every metric of a device, by name; undefined for a device that was never heard of. */
  metrics(machine: MachineId): readonly MetricView[] | undefined;
  /** Grows when a metric of the device changes; 0 for an unknown device. */
  version(machine: MachineId): number;
  plant(): PlantView;
}

export interface LiveHubOptions {
  /** Random per process: a viewer that sees another one starts over. */
  readonly epoch: string;
  readonly plant: PlantModel | null;
}

const slowMs = 1000;
const minuteMs = 60_000;
/** Devices that are shown; a flood of invented ids must not eat the memory. */
const maxDevices = 10_000;

export function createLiveHub({ epoch, plant }: LiveHubOptions): LiveHub {
  const trackers = new Map<MachineId, MachineTracker>();
  const published = new Map<MachineId, MachineView>();
  const dirty = new Set<MachineId>();
  const calendar = plantCalendar(plant);
  const { timeZone } = calendar;
  const fixedPlant = fixedPlantView(plant, timeZone);
  const clock = { nowMs: 0, window: null as CountWindow | null, planned: false };
  let shift: WorkedShift | null = null;
  let publishedWindow: CountWindow | null = null;
  let checkedMinute = -1;
  let seq = 0;
  let lastFrameMs = Number.NEGATIVE_INFINITY;
  let lastSlowMs = Number.NEGATIVE_INFINITY;

  for (const id of plantMachines(plant)) tracker(id);

  function tracker(id: MachineId): MachineTracker | undefined {
    let found = trackers.get(id);
    if (found === undefined && trackers.size < maxDevices) {
      found = createMachineTracker(id, plant, clock);
      trackers.set(id, found);
    }
    return found;
  }

  function advance(nowMs: number): void {
    clock.nowMs = nowMs;
    // Shifts start on whole minutes; the calendar is too slow to ask at every tick.
    const minute = Math.floor(nowMs / minuteMs);
    if (minute === checkedMinute) return;
    checkedMinute = minute;
    const hasShifts = calendar.shifts.length > 0;
    shift = hasShifts ? shiftAt(calendar, nowMs) : null;
    const window = hasShifts ? shift : plantDay(timeZone, nowMs);
    if (sameWindow(window, clock.window)) return;
    clock.window = window;
    clock.planned = shift !== null;
    for (const each of trackers.values()) each.turnWindow();
  }

  /** Publishes the current view of a machine; returns what changed, null when nothing did. */
  function publish(id: MachineId, slow: boolean): MachinePatch | null {
    const each = trackers.get(id);
    if (each?.isMachine !== true) return null;
    const view = each.view();
    const patch = difference(published.get(id), view);
    // A new time stamp alone can wait for the slow pass, or every sample would be news of every machine.
    if (patch === null || (!slow && isOnlyFreshness(patch))) return null;
    published.set(id, view);
    return patch;
  }

  function snapshot(nowMs: number): SnapshotFrame {
    return { k: 'snap', epoch, seq, t: nowMs, plant: plantView(), machines: [...published.values()] };
  }

  function plantView(): PlantView {
    const planned = plant?.shifts.find(({ id }) => id === shift?.shift.id);
    if (shift === null || planned === undefined) return { ...fixedPlant, shift: null };
    return { ...fixedPlant, shift: { id: planned.id, name: planned.name, from: shift.from, to: shift.to } };
  }

  return {
    epoch,
    advance,
    applySample(machine, metric, timestampMs, value, quality, options = {}) {
      if (tracker(machine)?.sample(metric, timestampMs, value, quality, options) === true) dirty.add(machine);
    },
    applyConnection(machine, connection) {
      tracker(machine)?.connect(connection);
      dirty.add(machine);
    },
    tick(nowMs) {
      advance(nowMs);
      const turned = !sameWindow(publishedWindow, clock.window);
      publishedWindow = clock.window;
      // Also when the wall clock was set back.
      const slow = turned || Math.abs(nowMs - lastSlowMs) >= slowMs;
      if (slow) lastSlowMs = nowMs;
      const patches: MachinePatch[] = [];
      for (const id of slow ? trackers.keys() : dirty) {
        const patch = publish(id, slow);
        if (patch !== null) patches.push(patch);
      }
      dirty.clear();
      if (patches.length === 0 && !turned) {
        if (Math.abs(nowMs - lastFrameMs) < slowMs) return null;
        lastFrameMs = nowMs;
        return { k: 'hb', epoch, seq, t: nowMs };
      }
      seq += 1;
      lastFrameMs = nowMs;
      return turned ? snapshot(nowMs) : { k: 'd', epoch, seq, t: nowMs, machines: patches };
    },
    snapshot,
    machines: () => [...published.values()],
    machine: (machine) => published.get(machine),
    metrics: (machine) => trackers.get(machine)?.metrics(),
    version: (machine) => trackers.get(machine)?.version ?? 0,
    plant: plantView,
  };
}

function plantMachines(plant: PlantModel | null): readonly MachineId[] {
  return plant === null ? [] : [...new Set([...plant.lines.flatMap((line) => line.machines), ...Object.keys(plant.machines)])];
}

/** What the plant model says and no shift changes. */
function fixedPlantView(plant: PlantModel | null, timeZone: string): Omit<PlantView, 'shift'> {
  if (plant === null) return { name: { vi: '', en: '' }, timeZone, lines: [] };
  const machines = Object.entries(plant.machines).map(([id, { name, kind, role, measures }]) => {
    return [id, { name, kind, role, ...(measures === undefined ? {} : { measures }) }] as const;
  });
  const lines = plant.lines.map((line) => ({ id: line.id, name: line.name, machines: line.machines }));
  return { name: plant.site, timeZone, lines, machines: Object.fromEntries(machines), reasons: plant.reasons };
}

function sameWindow(a: CountWindow | null, b: CountWindow | null): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

/** The fields in which `view` differs from `before`; everything for a new machine; null when nothing differs. */
function difference(before: MachineView | undefined, view: MachineView): MachinePatch | null {
  if (before === undefined) return view;
  const fields = (Object.keys(view) as (keyof MachineView)[]).filter((field) => before[field] !== view[field]);
  if (fields.length === 0) return null;
  return { ...Object.fromEntries(fields.map((field) => [field, view[field]])), id: view.id };
}

function isOnlyFreshness(patch: MachinePatch): boolean {
  return Object.keys(patch).every((field) => field === 'id' || field === 'lastSample');
}
