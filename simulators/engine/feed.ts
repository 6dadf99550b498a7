import type { Feed } from '../machine.ts';

/** A conveyor between two machines. */
export interface Conveyor {
  readonly from: string;
  readonly to: string;
  readonly capacity: number;
  level: number;
}

/** The feed of one machine: every conveyor that ends or starts at it. */
export function createFeed(machine: string, conveyors: readonly Conveyor[]): Feed {
  const inlets = conveyors.filter((conveyor) => conveyor.to === machine);
  const outlets = conveyors.filter((conveyor) => conveyor.from === machine);
  return {
    waiting: () => inlets.reduce((least, inlet) => Math.min(least, inlet.level), Infinity),
    room: () => outlets.reduce((least, outlet) => Math.min(least, outlet.capacity - outlet.level), Infinity),
    take(count) {
      for (const inlet of inlets) inlet.level -= count;
    },
    put() {
      for (const outlet of outlets) outlet.level += 1;
    },
  };
}
