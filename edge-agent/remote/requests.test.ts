import type { Clock } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { expect, it } from 'vitest';
import { waitFor } from '../testing/wait-for.ts';
import { createRequests, type Requests } from './requests.ts';

let nowMs = 0;
const clock: Clock = { ...createNodeClock(), monotonic: () => nowMs };
let taken: string[] = [];

function make(take: (json: string) => Promise<void>): Requests {
  taken = [];
  const pushes = { text: () => 'told', take };
  return createRequests({ clock, log: silentLog(), certificates: async () => undefined, pushes, answered: async () => undefined });
}

it('takes one request after the other, a few at a time and a bounded number a minute', async () => {
  const requests = make(async (json) => void taken.push(json));
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const before = taken.length;
      requests.take({ kind: 'config', text: `${i}` });
      if (i < 30) await waitFor('it', () => taken.length === before + 1);
    }
  };
  await ask(40);
  expect(taken.length).toBe(30);
  nowMs += 60_000;
  await ask(1);
  expect(taken.length).toBe(31);
});

it('goes on after one that failed, and keeps no more than a few waiting', async () => {
  nowMs += 60_000;
  const requests = make(async (json) => {
    taken.push(json);
    if (json === '0') throw new Error('broken');
  });
  for (let i = 0; i < 20; i++) requests.take({ kind: 'config', text: `${i}` });
  await waitFor('all that had a place', () => taken.length === 8);
  requests.take({ kind: 'certificate', text: 'nobody takes it' });
  requests.take({ kind: 'config', text: 'last' });
  await waitFor('the last', () => taken.at(-1) === 'last');
  expect(taken).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', 'last']);
  expect(await requests.texts()).toEqual([['Edge/Configuration', 'told']]);
});
