import type { AddressInfo } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { jwkOf, publicKeyFromJwk } from '@nhip/sector/contract/keys';
import { verifyFile } from '@nhip/sector/contract/verify-file';
import { gatewayConfig } from '@nhip/sector/gateway/config';
import { createGateway } from '@nhip/sector/gateway/gateway';
import { dayMs, enterpriseId, hourMs, policyYaml, startMs } from '@nhip/sector/gateway/testing/test-gateway';
import { createTestPlant } from '@nhip/sector/gateway/testing/test-plant';
import { openTestDatabase } from '@nhip/sector/platform/testing/test-database';
import { createTestPlatform, tokenOf } from '@nhip/sector/platform/testing/test-platform';
import { expect, it } from 'vitest';

it('a day goes from the figures of a plant over HTTP into the sector server, and back comes a receipt that verifies', async () => {
  const { database, remove } = await openTestDatabase();
  const sector = await createTestPlatform(database, startMs);
  await sector.platform.app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(sector.platform.app.server.address() as AddressInfo).port}/v1`;
  const factory = await sector.enrol(enterpriseId);
  await sector.agree(enterpriseId);
  const publicKey = publicKeyFromJwk(jwkOf(sector.key.kid, sector.key.privateKey));

  const clock = createSimClock(startMs);
  const plant = createTestPlant({ seed: 5, machines: 3, fromMs: startMs, toMs: startMs + 4 * dayMs, lateEvery: 5, now: () => clock.now() });
  const recipient = { clientId: factory.clientId, platformKeyFile: 'x', approval: 'standing' };
  const config = gatewayConfig.parse({
    enterpriseId,
    establishmentId: 'nm-01',
    provinceCode: '79',
    activityCode: '1410',
    settleMinutes: 0,
    recipients: { 'sector-platform': recipient },
  });
  const gateway = createGateway({
    env: { clock, random: createSimRandom(1), disk: createSimDisk().boot() },
    log: silentLog(),
    figures: plant.figures,
    config,
    files: {
      signingKey: async () => factory.key,
      policyText: async () => policyYaml({ url, hold: 'PT0M' }),
      platformKeys: async () => [{ kid: sector.key.kid, publicKey }],
      secret: async () => factory.clientSecret,
      tls: async () => ({}),
      bundle: () => createSimDisk().boot(),
    },
    version: '0.1.0',
  });
  await gateway.start();
  await gateway.work();
  for (const { digest, approvers } of await gateway.desk.policies())
    for (const by of approvers) await gateway.desk.approvePolicy(digest, by);
  // Two days, and what comes late.
  for (let hours = 0; hours < 72; hours += 6) {
    sector.advanceMs(6 * hourMs);
    await clock.advance(6 * hourMs);
    await gateway.work();
  }
  const { items } = await gateway.desk.items({ limit: 200 });
  const accepted = items.filter(({ state }) => state === 'accepted' || state === 'duplicate');
  expect(accepted.length).toBeGreaterThanOrEqual(2);
  const [newest] = accepted.filter(({ period }) => period.from === '2026-03-01T00:00:00+07:00');
  const { text = '' } = await gateway.desk.item(newest?.id ?? '');
  const held = await sector.call('GET', `/v1/reports/${newest?.id}`, {
    as: await tokenOf(sector.call, factory.clientId, factory.clientSecret),
  });
  expect(held.bytes.toString('utf8')).toBe(text);
  const receipt = (await gateway.desk.receipt(newest?.id ?? '')).text;
  expect(verifyFile(receipt, [{ publicKey }], { nowMs: clock.now(), reportText: text })).toMatchObject({ ok: true, kind: 'receipt' });
  const truth = plant.truth(startMs, startMs + dayMs);
  const report = JSON.parse(text);
  expect(report.energy[0].quantity).toBe(String((truth.parts.energyWh ?? 0) / 1000));
  await gateway.stop();
  await sector.platform.stop();
  await remove();
});
