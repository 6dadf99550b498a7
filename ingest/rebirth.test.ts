import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Payload } from '@nhip/core/wire/sparkplug/payload';
import { expect, it } from 'vitest';
import { createRebirthRequester } from './rebirth.ts';

it('asks one edge at most every 5 s, and not for what came long ago', async () => {
  const clock = createSimClock();
  const sent: Payload[] = [];
  const ask = createRebirthRequester(clock, (_, __, payload) => sent.push(decodePayload(payload)));
  expect(ask('g/e', clock.now() - 60_000)).toBe(false);
  expect(ask('g/e', clock.now())).toBe(true);
  await clock.advance(4999);
  expect(ask('g/e', clock.now())).toBe(false);
  await clock.advance(1);
  expect(ask('g/e', clock.now())).toBe(true);
  expect(sent).toHaveLength(2);
  expect(sent[0]).toMatchObject({ seq: undefined, metrics: [{ name: 'Node Control/Rebirth', value: true }] });
});

it('asks 5,000 edges that come all at once one after the other, and none twice', async () => {
  const clock = createSimClock();
  const births = new Map<string, number>();
  const ask = createRebirthRequester(clock, (_, edge) => births.set(edge, (births.get(edge) ?? 0) + 1));
  let most = 0;
  for (let second = 0; second < 100; second++) {
    let asked = 0;
    for (let i = 0; i < 5000; i++) if (!births.has(`${i}`) && ask(`g/${i}`, clock.now())) asked++;
    most = Math.max(most, asked);
    await clock.advance(1000);
  }
  expect(most).toBe(50);
  expect(births.size).toBe(5000);
  expect([...births.values()].every((count) => count === 1)).toBe(true);
});
