import { expect, it } from 'vitest';
import { createStoredCount } from './stored-count.ts';

it('counts what was lost and written again once', () => {
  const count = createStoredCount();
  count.beginRun(100);
  for (let second = 1; second <= 700; second++) count.mark(100 + second * 10, second * 50);
  count.endRun(35_000);
  expect(count.total()).toBe(35_000);
  // Set back by five seconds.
  count.beginRun(100 + 695 * 10);
  expect(count.total()).toBe(34_750);
  count.mark(100 + 705 * 10, 500);
  count.endRun(500);
  expect(count.total()).toBe(35_250);
  // A run that ended without harm.
  count.beginRun(100 + 705 * 10);
  count.endRun(10);
  expect(count.total()).toBe(35_260);
});
