import { expect, it } from 'vitest';
import { createSlots } from './slots.ts';

it('runs as many jobs as there are slots, in order, also after failures', async () => {
  const slots = createSlots(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const jobs = [0, 1, 2, 3].map((n) =>
    slots.run(0, async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n === 1) throw new Error('one fails');
      return n;
    }),
  );
  const results = Promise.allSettled(jobs);
  const turn = (): Promise<void> => new Promise(setImmediate);
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const end of ends) end();
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});

it('gives a free slot to the lowest rank, and tells how many wait', async () => {
  const slots = createSlots(1);
  const begun: string[] = [];
  let end = (): void => undefined;
  const job = (name: string) => async () => {
    begun.push(name);
    if (name === 'first') await new Promise<void>((resolve) => (end = resolve));
  };
  const jobs = [slots.run(1, job('first')), slots.run(2, job('late a')), slots.run(1, job('early')), slots.run(2, job('late b'))];
  expect(slots.waiting()).toBe(3);
  end();
  await Promise.all(jobs);
  expect(begun).toEqual(['first', 'early', 'late a', 'late b']);
  expect(slots.waiting()).toBe(0);
});
