import type { LocalName } from '@nhip/core/wire/live';
import type { Value } from '@nhip/core/wire/sample';
import type { Point } from './points.ts';

/** What survives a restart: plain JSON. */
export type Json = number | string | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A simulated machine, as promises.
 *
 * Pure and seeded: the same kind, config and seed with the same steps gives the same values, on every host. It reads no
 * clock: time comes only through `step`.
 */
export interface Machine {
  readonly id: string;

  /**
   * Lets `dtMs` pass: 100 ms to 60 s, several pieces in one step if need be. The statistics (pieces, stops, kWh per hour)
   * do not depend on the size of the steps.
   */
  step(dtMs: number, context: StepContext): void;

  /**
   * What the machine's controller knows, by metric name (`core/wire/vocabulary.ts`; free process values with the unit of
   * the kind's points). Always the same object; `step` and `restore` change it in place. Counters are u32 and never go back
   * (they wrap, as a PLC's do).
   */
  values(): MachineValues;

  /** Everything that the next step depends on, the random generators included. */
  snapshot(): Json;

  /** Continues exactly where the snapshot was taken. Throws a TypeError when it is not a snapshot of this kind. */
  restore(snapshot: Json): void;
}

export type MachineValues = Readonly<Record<string, Value>>;

/** What the plant tells a machine about its surroundings. */
export interface StepContext {
  /** Time at the end of the step, ms UTC. */
  readonly nowMs: number;
  readonly schedule: Schedule;
  readonly isGridOn: boolean;
  /** Pressure of the compressed air net, bar. */
  readonly airBar: number;
  /** Compressors: what the plant draws, m³/min. */
  readonly airDemand: number;
  /** Meters: what runs behind them, kW. */
  readonly loadKw: number;
  readonly feed: Feed;
}

export type Schedule = 'work' | 'break' | 'off';

/** The conveyors before and after a machine. */
export interface Feed {
  /** Pieces that wait in the emptiest inlet; Infinity when nothing stands before the machine. */
  waiting(): number;
  /** Room in the fullest outlet; Infinity when nothing stands after the machine. */
  room(): number;
  /** Takes `count` pieces from every inlet. Only after `waiting() >= count`. */
  take(count: number): void;
  /** Puts one piece on every outlet. Only after `room() >= 1`. */
  put(): void;
}

/** A machine with nothing before and after it. */
export const endlessFeed: Feed = { waiting: () => Infinity, room: () => Infinity, take: () => {}, put: () => {} };

/**
 * One folder in `machines/`, one line in `machines/index.ts`. `C` is what distinguishes two machines of the kind.
 */
export interface MachineKind<C> {
  readonly id: string;
  readonly name: LocalName;
  /** How its controller speaks. */
  readonly protocol: 'modbus' | 'opcua';
  /** OPC UA: the companion specification that its object follows. */
  readonly companion?: 'machineTool' | 'packml';
  /** What its controller publishes. Every point's metric is a key of `values()`. */
  readonly points: readonly Point[];
  create(id: string, config: C, seed: number): Machine;
}
