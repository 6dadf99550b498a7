import { expect, it } from 'vitest';
import { runRestarts } from './testing/restarts.ts';

it('delivers no value of another node in 30 restarts with shuffled namespaces', async () => {
  const result = await runRestarts(30, 4);
  expect(result).toMatchObject({ restarts: 30, wrong: 0 });
  expect(result.values).toBeGreaterThan(250);
  expect(Math.max(...result.reconnectMs)).toBeLessThan(20_000);
}, 300_000);
