import type { AddressInfo } from 'node:net';
import type { Disk } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { replaceSmallFile } from '@nhip/core/process/small-file';
import { jwkOf, publicKeyFromJwk } from '@nhip/sector/contract/keys';
import { restoredMark } from '@nhip/sector/gateway/after-restore';
import { gatewayConfig } from '@nhip/sector/gateway/config';
import { createGateway, type Gateway } from '@nhip/sector/gateway/gateway';
import { copyOutbox } from '@nhip/sector/gateway/outbox/copy-outbox';
import { approvers, dayMs, enterpriseId, hourMs, policyYaml, startMs } from '@nhip/sector/gateway/testing/test-gateway';
import { createTestPlant } from '@nhip/sector/gateway/testing/test-plant';
import { openTestDatabase } from '@nhip/sector/platform/testing/test-database';
import { createTestPlatform, type TestFactory, type TestPlatform, tokenOf } from '@nhip/sector/platform/testing/test-platform';
import { afterAll, beforeAll, expect, it } from 'vitest';

let sector: TestPlatform;
let url: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  const opened = await openTestDatabase();
  remove = opened.remove;
  sector = await createTestPlatform(opened.database, startMs);
  await sector.platform.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(sector.platform.app.server.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  await sector.platform.stop();
  await remove();
});

/** A plant whose clock moves together with the sector server's. Its disk can be changed for that of a backup. */
async function createFactory() {
  const factory: TestFactory = await sector.enrol(enterpriseId);
  await sector.agree(enterpriseId);
  const clock: SimClock = createSimClock(startMs);
  const plant = createTestPlant({ seed: 5, machines: 3, fromMs: startMs, toMs: startMs + 9 * dayMs, lateEvery: 5, now: () => clock.now() });
  const config = gatewayConfig.parse({
    enterpriseId,
    establishmentId: 'nm-01',
    provinceCode: '79',
    activityCode: '1410',
    settleMinutes: 0,
    backfillDays: 0,
    recipients: { 'sector-platform': { clientId: factory.clientId, platformKeyFile: 'x', approval: 'standing', periods: ['PT1H', 'P1D'] } },
  });
  const publicKey = publicKeyFromJwk(jwkOf(sector.key.kid, sector.key.privateKey));
  return {
    factory,
    clock,
    async start(disk: Disk, version: number): Promise<Gateway> {
      const gateway = createGateway({
        env: { clock, random: createSimRandom(version), disk },
        log: silentLog(),
        figures: plant.figures,
        config,
        files: {
          signingKey: async () => factory.key,
          policyText: async () => policyYaml({ url, hold: 'PT0M', version }),
          platformKeys: async () => [{ kid: sector.key.kid, publicKey }],
          secret: async () => factory.clientSecret,
          tls: async () => ({}),
          bundle: () => createSimDisk().boot(),
        },
        version: '0.1.0',
        // Virtual time must not run on while a real request is under way: everything is done by `work`.
        intervalMs: 30 * dayMs,
      });
      await gateway.start();
      await gateway.work();
      return gateway;
    },
    async live(gateway: Gateway, hours: number): Promise<void> {
      for (let done = 0; done < hours; done += 3) {
        sector.advanceMs(3 * hourMs);
        await clock.advance(3 * hourMs);
        for (let pass = 0; pass < 3; pass++) await gateway.work();
      }
    },
    /** Digest of each revision that the sector server holds, by series. */
    async held(): Promise<ReadonlyMap<string, readonly string[]>> {
      const as = await tokenOf(sector.call, factory.clientId, factory.clientSecret);
      const { json } = await sector.call('GET', '/v1/reports?limit=500', { as });
      const keys = (json.reports as { readonly seriesKey: string }[]).map(({ seriesKey }) => seriesKey);
      const series = new Map<string, readonly string[]>();
      for (const key of keys) {
        const answer = await sector.call('GET', `/v1/series/${encodeURIComponent(key)}/reports`, { as });
        series.set(
          key,
          (answer.json.reports as { readonly digest: string }[]).map(({ digest }) => digest),
        );
      }
      return series;
    },
  };
}

async function approve(gateway: Gateway): Promise<void> {
  for (const { digest, state } of await gateway.desk.policies())
    for (const by of state === 'waiting' ? approvers : []) await gateway.desk.approvePolicy(digest, by);
}

async function itemsOf(gateway: Gateway) {
  const items = [];
  for (let before: number | undefined = Number.POSITIVE_INFINITY; before !== undefined; ) {
    const page = await gateway.desk.items({ before, limit: 200 });
    items.push(...page.items);
    before = page.next;
  }
  return items;
}

it('an outbox of an old backup sends nothing by itself, then takes over what was sent since and goes on with the next revisions', async () => {
  const plant = await createFactory();
  const disk = createSimDisk().boot();
  const first = await plant.start(disk, 1);
  await approve(first);
  await plant.live(first, 12);
  const backup = createSimDisk();
  const copied = await copyOutbox(disk, backup.boot(), 'outbox');
  expect(copied.length).toBeGreaterThan(10);
  await plant.live(first, 30);
  await first.stop();
  const before = await plant.held();

  // The plant goes on without a gateway; late data of the past arrive.
  await plant.clock.advance(6 * hourMs);
  sector.advanceMs(6 * hourMs);
  const restored = backup.boot();
  await replaceSmallFile(restored, 'outbox', restoredMark, Buffer.from('{}'));
  const second = await plant.start(restored, 1);
  await plant.live(second, 6);
  expect(await plant.held()).toEqual(before);
  expect((await second.desk.overview()).alarms).toMatchObject([{ code: 'restored' }]);
  await second.stop();

  const third = await plant.start(restored, 2);
  expect((await third.desk.overview()).alarms).toMatchObject([{ code: 'restored' }]);
  await approve(third);
  for (let pass = 0; pass < 3; pass++) await third.work();
  await plant.live(third, 36);
  expect((await third.desk.overview()).alarms).toEqual([]);
  const after = await plant.held();
  expect(after.size).toBeGreaterThan(before.size);
  for (const [key, digests] of before) expect(after.get(key)?.slice(0, digests.length)).toEqual(digests);
  // Everything that the sector server holds is here again, with its receipt, and nothing waits or was refused for good.
  const items = await itemsOf(third);
  const accepted = items.filter(({ state }) => state === 'accepted' || state === 'duplicate').map(({ digest }) => digest);
  expect(accepted.sort()).toEqual([...after.values()].flat().sort());
  expect(items.filter(({ state }) => ['sealed', 'sending', 'rejected'].includes(state))).toEqual([]);
  expect(items.some(({ revision, state }) => revision > 1 && state === 'accepted')).toBe(true);
  await third.stop();
}, 60_000);
