import { isBitTable, type ReadRequest, readDataBytes, readFunctions } from './pdu.ts';

/**
 * Reads that were never answered, on a line whose frames carry no transaction id: the late answer to such a read is a perfect answer to a
 * later one of the same function and length, with another register's values. Devices answer in order, so a read of another
 * length settles it: once its data is there, nothing older can come. An exception settles nothing by itself, because it has no length: it may
 * be the late answer to any of them.
 */
export interface Unanswered {
  /** This request got no answer in time. */
  add(read: ReadRequest, nowMs: number): void;
  /** This request got an exception: when older ones are open, it may be theirs. */
  refused(read: ReadRequest, nowMs: number): void;
  /** A read that must be answered before `read` may be asked; undefined when nothing can be mistaken for its answer. */
  probeFor(read: ReadRequest, nowMs: number): ReadRequest | undefined;
  /** Data came that no older request can have caused. */
  settled(unit: number): void;
  /** A probe was refused. True when as many were refused as older requests are open: none of those is left. */
  probeRefused(probe: ReadRequest, nowMs: number): boolean;
}

/** No device answers a request that is older. */
const forgetAfterMs = 60_000;
/** What a probe asks for beside the length of the read itself, nearest first. */
const farthestProbe = 60;

interface UnitState {
  /** Function and data length of the reads that may still be answered. */
  shapes: Set<string>;
  /** Those of them that are probes. */
  probes: Set<string>;
  count: number;
  lastMs: number;
}

export function createUnanswered(): Unanswered {
  const units = new Map<number, UnitState>();
  const stateOf = (unit: number, nowMs: number): UnitState | undefined => {
    const state = units.get(unit);
    if (state === undefined || nowMs - state.lastMs <= forgetAfterMs) return state;
    units.delete(unit);
    return undefined;
  };
  return {
    add: (read, nowMs) => {
      const state = stateOf(read.unit, nowMs) ?? { shapes: new Set<string>(), probes: new Set<string>(), count: 0, lastMs: nowMs };
      state.shapes.add(shapeOf(read));
      state.count++;
      state.lastMs = nowMs;
      units.set(read.unit, state);
    },
    probeFor: (read, nowMs) => {
      const shapes = stateOf(read.unit, nowMs)?.shapes;
      if (shapes === undefined || !shapes.has(shapeOf(read))) return undefined;
      return probesFor(read).find((probe) => !shapes.has(shapeOf(probe))) ?? probesFor(read)[0];
    },
    settled: (unit) => {
      units.delete(unit);
    },
    refused: (read, nowMs) => {
      stateOf(read.unit, nowMs)?.shapes.add(shapeOf(read));
    },
    probeRefused: (probe, nowMs) => {
      const state = stateOf(probe.unit, nowMs);
      if (state === undefined) return true;
      state.probes.add(shapeOf(probe));
      if (--state.count > 0) return false;
      state.shapes = state.probes;
      state.probes = new Set();
      state.count = state.shapes.size;
      return true;
    },
  };
}

function shapeOf(read: ReadRequest): string {
  return `${readFunctions[read.table]}:${readDataBytes(read)}`;
}

/** The same place with fewer registers first, because a device that answers for the whole mostly answers for a part; then with more. */
function* probeCounts(read: ReadRequest): Generator<number> {
  const step = isBitTable(read.table) ? 8 : 1;
  for (let i = 1; i <= farthestProbe; i++) yield read.count - i * step;
  for (let i = 1; i <= farthestProbe; i++) yield read.count + i * step;
}

function probesFor(read: ReadRequest): readonly ReadRequest[] {
  const most = isBitTable(read.table) ? 2000 : 125;
  return [...probeCounts(read)]
    .filter((count) => count >= 1 && count <= most)
    .map((count) => ({ ...read, count, start: Math.min(read.start, 65_536 - count) }))
    .filter((probe) => readDataBytes(probe) !== readDataBytes(read));
}
