import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAccessToken } from './adapters/access-token.ts';
import { createHttpsAdapter } from './adapters/https.ts';
import type { OutboxItem } from './outbox/item.ts';
import { openOutbox } from './outbox/outbox.ts';
import { createSender } from './sender.ts';
import { itemOf } from './testing/item.ts';

let platform: Server;
let requests = 0;
beforeEach(async () => {
  requests = 0;
  platform = createServer((_, response) => {
    requests++;
    response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  platform.closeAllConnections();
  await new Promise((resolve) => platform.close(resolve));
});

/** A sender of `items` to a platform that is busy; those in `withBytes` have theirs on disk. */
async function senderOf(items: readonly OutboxItem[], withBytes: readonly string[]) {
  const url = new URL(`http://127.0.0.1:${(platform.address() as AddressInfo).port}`);
  const clock = createSimClock();
  const env = { clock, random: createSimRandom(1), disk: createSimDisk().boot() };
  const outbox = await openOutbox(env, 'outbox');
  for (const id of withBytes) await outbox.files.write('bytes', id, Buffer.from('{}'));
  await outbox.change(() => ({ items }));
  const now = () => clock.now();
  const token = createAccessToken({ url, clientId: 'c', secret: async () => 's', tls: {}, now });
  const rights = { mayLeave: true };
  const sender = createSender({
    ...{ env, log: silentLog(), outbox, recipient: 'sector-platform', seriesPrefix: '' },
    adapter: createHttpsAdapter({ url, token, tls: {}, now }),
    platformKeys: () => [],
    ownKey: generateKeyPairSync('ed25519').publicKey,
    mayLeave: () => rights.mayLeave,
  });
  return { sender, clock, rights };
}

const { signal } = new AbortController();

it('does not call a recipient reachable because it has nothing that may leave', async () => {
  const { sender, clock, rights } = await senderOf([itemOf({ state: 'sending' })], ['r1']);
  const waitMs = (await sender.pass(signal)) ?? 0;
  const down = sender.status();
  expect(down.downSinceMs).toBe(clock.now());
  rights.mayLeave = false;
  await clock.advance(waitMs);
  await sender.pass(signal);
  expect(sender.status()).toMatchObject({ downSinceMs: down.downSinceMs, downReason: down.downReason });
  expect(requests).toBe(1);
});

it.each([
  'sealed',
  'sending',
] as const)('goes on with other series when a %s report has lost its bytes, and looks again later', async (state) => {
  const lost = itemOf({ state });
  const { sender, clock } = await senderOf([lost, itemOf({ id: 'r2', order: 2, seriesKey: 'other', state })], ['r2']);
  const waitMs = (await sender.pass(signal)) ?? 0;
  expect(requests).toBe(1);
  expect(sender.status().downReason).toContain('503');
  expect(sender.status().withoutBytes?.id).toBe(lost.id);
  await clock.advance(waitMs * 4);
  await sender.pass(signal);
  expect(requests).toBe(2);
});
