import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootComputer, type Life, startLife, stored } from './testing/rig.ts';
import { earliestMs } from './timekeeper.ts';

const todayMs = Date.UTC(2026, 5, 1);
const dayMs = 86_400_000;

describe('readings of a computer that does not know the time', () => {
  it('wait, get their times when it is known, and the newest one is current', async () => {
    const computer = bootComputer(0);
    const { clock } = computer;
    const life = await startLife(createSimDisk(), computer);
    expect(life.timekeeper.state).toBe('unsynced');
    for (const value of [1, 2, 3]) {
      await clock.drive(life.read(value));
      await clock.advance(60_000);
    }
    expect(await stored(life.outbox)).toEqual([]);
    expect(life.held.pending()).toBe(3);
    const elapsedMs = clock.monotonic();
    clock.jump(todayMs - clock.now());
    await clock.advance(2_000);
    await clock.drive(life.held.drained());
    await clock.drive(life.read(4));
    const found = await stored(life.outbox);
    expect(found.map(([value, , quality, isHistorical]) => [value, quality, isHistorical])).toEqual([
      [1, 192, true],
      [2, 192, true],
      [3, 192, false],
      [4, 192, false],
    ]);
    // Each read was 60 s and its commit before the next, the first at the start.
    found.slice(0, 3).forEach(([, timeMs], i) => {
      expect(Math.abs(timeMs - (todayMs - elapsedMs + (i * elapsedMs) / 3))).toBeLessThan(500);
    });
    await clock.drive(life.stop());
  });

  it('are not held at all when the clock is plausible, and keep times that a source knew', async () => {
    const plausible = bootComputer(todayMs);
    const life = await startLife(createSimDisk(), plausible);
    await plausible.clock.drive(life.read(1));
    expect(await stored(life.outbox)).toEqual([[1, todayMs, 192, false]]);
    await plausible.clock.drive(life.stop());

    const computer = bootComputer(0);
    const other = await startLife(createSimDisk(), computer);
    await computer.clock.drive(other.read(1, todayMs - 500));
    computer.clock.jump(todayMs - computer.clock.now());
    await computer.clock.advance(2_000);
    await computer.clock.drive(other.held.drained());
    expect(await stored(other.outbox)).toEqual([[1, todayMs - 500, 192, false]]);
    await computer.clock.drive(other.stop());
  });

  it('of boots that never knew the time lie between what was known before and after, and are uncertain', async () => {
    const disk = createSimDisk();
    const first = bootComputer(todayMs);
    const known = await startLife(disk, first);
    await first.clock.drive(known.stop());
    for (const value of [1, 2]) {
      const dark = bootComputer(0);
      const life = await startLife(disk, dark);
      await dark.clock.drive(life.read(value));
      await dark.clock.advance(600_000);
      await dark.clock.drive(life.read(value + 10));
      await dark.clock.drive(life.stop());
    }
    const last = bootComputer(todayMs + dayMs);
    const life = await startLife(disk, last);
    await last.clock.drive(life.held.drained());
    const found = await stored(life.outbox);
    expect(found.map(([value, , quality]) => [value, quality])).toEqual([
      [1, 500],
      [11, 500],
      [2, 500],
      [12, 500],
    ]);
    const times = found.map(([, timeMs]) => timeMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(todayMs);
    expect(times[3]).toBeLessThanOrEqual(todayMs + dayMs);
    await last.clock.drive(life.stop());
  });

  it('go on with an uncertain time when there is no room to wait', async () => {
    const computer = bootComputer(0);
    const { clock } = computer;
    const life = await startLife(createSimDisk(), computer, 16_384);
    for (let value = 0; value < 400; value++) {
      await clock.drive(life.read(value));
    }
    await clock.drive(life.held.drained());
    const found = await stored(life.outbox);
    expect(found.map(([value]) => value).sort((a, b) => Number(a) - Number(b))).toEqual([...Array(400).keys()]);
    expect(found.every(([, timeMs, quality]) => timeMs >= earliestMs && quality === 500)).toBe(true);
    await clock.drive(life.stop());
  });
});

describe('held readings survive whatever happens', () => {
  it('each one that was taken is in the outbox exactly once', async () => {
    const step = fc.record({
      reads: fc.nat(8),
      pauseMs: fc.nat(3_000),
      syncs: fc.boolean(),
      end: fc.constantFrom('stop' as const, 'kill' as const, 'power' as const),
      afterOperations: fc.integer({ min: 5, max: 60 }),
      reboots: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), fc.nat(), async (steps, seed) => {
        const disk = createSimDisk();
        const random = createSimRandom(seed);
        let computer = bootComputer(0);
        let next = 0;
        const taken: number[] = [];
        const isDone = { ended: false };
        for (const { reads, pauseMs, syncs, end, afterOperations, reboots } of steps) {
          const { clock } = computer;
          isDone.ended = false;
          let life: Life | undefined;
          // Everything of this life may hang from the moment of its end on.
          const work = (async () => {
            life = await startLife(disk, computer);
            const fatal =
              end === 'stop'
                ? undefined
                : end === 'kill'
                  ? disk.killAfter(afterOperations, random)
                  : disk.crashAfter(afterOperations, random);
            void fatal?.then(() => {
              isDone.ended = true;
            });
            for (let i = 0; i < reads; i++) {
              const value = next++;
              void life.read(value).then(() => {
                if (!isDone.ended) taken.push(value);
              });
              await clock.advance(pauseMs);
            }
            if (syncs && clock.now() < todayMs) clock.jump(todayMs + next * 1000 - clock.now());
            await clock.advance(3_000);
            if (end === 'stop') await life.stop();
          })();
          if (end === 'stop') await clock.drive(work);
          else await Promise.race([clock.drive(work).catch(() => undefined), work]);
          disk.spare();
          if (reboots) computer = bootComputer(0);
        }
        const last = bootComputer(todayMs + dayMs);
        const life = await startLife(disk, last);
        await last.clock.drive(life.held.drained());
        const values = (await stored(life.outbox)).map(([value]) => Number(value));
        expect(new Set(values).size, `doubled in ${values}`).toBe(values.length);
        expect(taken.filter((value) => !values.includes(value))).toEqual([]);
        expect((await stored(life.outbox)).every(([, timeMs]) => timeMs >= earliestMs && timeMs <= todayMs + 2 * dayMs)).toBe(true);
        await last.clock.drive(life.stop());
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
