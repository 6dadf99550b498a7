import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createRebirthRequester, type SendNodeCommand } from '@nhip/ingest/rebirth';
import { createResendRequester } from '@nhip/ingest/resend';
import { expect, it } from 'vitest';
import { createFurtherRequests } from './further-requests.ts';

it('asks for births that the first store has and this one lacks, and for nothing else', async () => {
  const clock = createSimClock(1_000_000);
  const sent: string[] = [];
  const send: SendNodeCommand = (group, edge) => sent.push(`${group}/${edge} ${clock.now() - 1_000_000}`);
  const requests = createFurtherRequests(clock, send);
  const askBirth = createRebirthRequester(clock, requests);
  const askNumbers = createResendRequester(clock, requests);
  const missing = [{ stream: '0f'.repeat(16), from: 5, to: 6 }];

  // Every message of `lost` shows that its birth is unknown; `asked` is born anew because the first store asked.
  askBirth('g/asked', clock.now());
  for (let s = 0; s < 30; s++) {
    askBirth('g/lost', clock.now());
    askNumbers('g/lost', missing, clock.now());
    await clock.advance(1000);
  }
  expect(sent).toEqual(['g/lost 5000', 'g/lost 15000', 'g/lost 25000']);
  await clock.advance(120_000);
  askBirth('g/asked', clock.now());
  expect(sent).toHaveLength(3);
});
