import { describe, expect, it } from 'vitest';
import { createSimClock } from './sim-clock.ts';
import { createSimRandom } from './sim-random.ts';

describe('the virtual clock', () => {
  it('runs timers in order of time, then of creation, and only when it is told to go on', async () => {
    const clock = createSimClock(1_000_000);
    const ran: string[] = [];
    clock.after(20, () => ran.push(`b at ${clock.monotonic()}`));
    clock.after(10, () => ran.push(`a at ${clock.monotonic()}`));
    clock.after(20, () => ran.push('c'));
    clock.after(15, () => ran.push('never')).cancel();
    await clock.advance(10);
    expect(ran).toEqual(['a at 10']);
    await clock.advance(90);
    expect(ran).toEqual(['a at 10', 'b at 20', 'c']);
    expect(clock.now()).toBe(1_000_100);
  });

  it('drives work that sleeps, and fails work that nothing will wake', async () => {
    const clock = createSimClock();
    const work = async (): Promise<number> => {
      await clock.sleep(1000);
      await clock.sleep(500);
      return clock.monotonic();
    };
    expect(await clock.drive(work())).toBe(1500);
    await expect(clock.drive(new Promise(() => undefined))).rejects.toThrow('no timer');
  });

  it('lets the wall clock jump without moving timers', async () => {
    const clock = createSimClock(0);
    let fired = 0;
    clock.after(100, () => fired++);
    clock.jump(-3_600_000);
    expect(clock.now()).toBe(-3_600_000);
    await clock.advance(100);
    expect(fired).toBe(1);
  });
});

describe('seeded random numbers', () => {
  it('repeat with the seed and spread over [0, 1)', () => {
    const draw = (seed: number): number[] => Array.from({ length: 1000 }, createSimRandom(seed).next);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const mean = draw(7).reduce((sum, value) => sum + value, 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
  });
});
