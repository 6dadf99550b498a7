import { expect, it } from 'vitest';
import { createGate } from './gate.ts';

it('lets some run and some wait, refuses the rest, and counts', async () => {
  const gate = createGate('queries', { atOnce: 2, queued: 1 });
  const ends: (() => void)[] = [];
  const job = (): Promise<void> => gate.run(() => new Promise<void>((resolve) => ends.push(resolve)));
  const jobs = [job(), job(), job()];
  await expect(job()).rejects.toMatchObject({ code: 'live.busy' });
  expect(gate.stats()).toEqual({ running: 2, waiting: 1, refused: 1 });
  ends[0]?.();
  await jobs[0];
  await new Promise(setImmediate);
  expect(gate.stats()).toEqual({ running: 2, waiting: 0, refused: 1 });
  for (const end of ends) end();
  await Promise.all(jobs);
  expect(gate.stats()).toEqual({ running: 0, waiting: 0, refused: 1 });
});
