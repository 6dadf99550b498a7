import { isMachineState } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../engine/prng.ts';
import { endlessFeed, type Machine, type MachineKind, type StepContext } from '../machine.ts';

/** A normal working day for one machine alone. */
export const workContext: StepContext = {
  nowMs: 0,
  schedule: 'work',
  isGridOn: true,
  airBar: 7,
  airDemand: 4,
  loadKw: 40,
  feed: endlessFeed,
};

const hourMs = 3_600_000;

/** What every machine kind promises (`machine.ts`); a kind's test calls it first. */
export function machineSuite<C>(kind: MachineKind<C>, config: C): void {
  const create = (seed: number): Machine => kind.create(`${kind.id}-test`, config, seed);

  describe(`${kind.id} as a machine`, () => {
    it('does the same for the same seed', () => {
      const [one, two, other] = [create(7), create(7), create(8)];
      const stepsMs = mixedSteps(1, 3 * hourMs);
      for (const machine of [one, two, other]) run(machine, stepsMs);
      expect(two.values()).toEqual(one.values());
      expect(other.values()).not.toEqual(one.values());
    });

    it('continues exactly from a snapshot that went through JSON', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 4 * hourMs }), (seed, beforeMs) => {
          const [original, copy] = [create(seed), create(seed + 1)];
          run(original, mixedSteps(seed, beforeMs));
          copy.restore(JSON.parse(JSON.stringify(original.snapshot())));
          expect(copy.values()).toEqual(original.values());
          for (const machine of [original, copy]) run(machine, mixedSteps(seed + 2, hourMs));
          expect(copy.snapshot()).toEqual(original.snapshot());
        }),
        { numRuns: 8 },
      );
    });

    it('refuses a snapshot that is none', () => {
      expect(() => create(1).restore({ a: 1 })).toThrow(TypeError);
      expect(() => create(1).restore(null)).toThrow(TypeError);
    });

    it('has a value of the right type behind every point, always', () => {
      const machine = create(3);
      for (const dtMs of mixedSteps(5, 6 * hourMs)) {
        machine.step(dtMs, workContext);
        for (const point of kind.points) {
          const value = machine.values()[point.metric];
          const isFitting = point.codes === undefined ? isPlain(value) : String(value) in point.codes;
          if (!isFitting) expect.fail(`${point.metric} = ${String(value)} does not fit its point`);
        }
      }
    });

    it('never counts back and never leaves the states of the vocabulary', () => {
      const machine = create(11);
      const counters = ['Count/Good', 'Count/Reject', 'Energy/Import', 'Mould/Shots', 'Hours/Run'];
      let before: Record<string, unknown> = {};
      for (const dtMs of mixedSteps(2, 8 * hourMs)) {
        machine.step(dtMs, workContext);
        const now = { ...machine.values() };
        for (const counter of counters) {
          if (counter in now && counter in before) expect(Number(now[counter])).toBeGreaterThanOrEqual(Number(before[counter]));
        }
        if ('State' in now) expect(isMachineState(now.State)).toBe(true);
        before = now;
      }
    });

    it('stops without the grid, rests outside of its shifts, and comes back', () => {
      const machine = create(4);
      if (!('State' in machine.values()) || !('Count/Good' in machine.values())) return;
      run(machine, [60_000, 60_000]);
      machine.step(1_000, { ...workContext, isGridOn: false });
      expect(machine.values()).toMatchObject({ State: 'stopped', 'State/Reason': 'gridOutage' });
      const { 'Count/Good': good } = machine.values();
      for (let i = 0; i < 20; i++) machine.step(60_000, { ...workContext, schedule: 'off' });
      expect(machine.values()).toMatchObject({ State: 'notScheduled', 'Count/Good': good });
      machine.step(1_000, workContext);
      expect(machine.values()).toMatchObject({ State: 'setup', 'State/Reason': 'shiftStart' });
      run(machine, new Array<number>(180).fill(60_000));
      expect(Number(machine.values()['Count/Good'])).toBeGreaterThan(Number(good));
    });
  });
}

function isPlain(value: unknown): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean' || typeof value === 'string';
}

/** Lets a machine work alone through steps of these lengths. */
export function run(machine: Machine, stepsMs: readonly number[], context: StepContext = workContext): void {
  for (const dtMs of stepsMs) machine.step(dtMs, context);
}

/** Steps of 100 ms to 60 s that sum up to `totalMs`. */
function mixedSteps(seed: number, totalMs: number): readonly number[] {
  const random = createPrng(seed, 'steps');
  const steps: number[] = [];
  for (let leftMs = totalMs; leftMs > 0; ) {
    const dtMs = Math.min(leftMs, 100 + Math.floor(random.next() ** 2 * 59_900));
    steps.push(dtMs);
    leftMs -= dtMs;
  }
  return steps;
}
