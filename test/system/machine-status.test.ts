import type { AddressInfo } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { gatewayConfig } from '@nhip/sector/gateway/config';
import { createGateway, type Gateway } from '@nhip/sector/gateway/gateway';
import { enterpriseId, policyYaml, startMs } from '@nhip/sector/gateway/testing/test-gateway';
import { createTestPlant } from '@nhip/sector/gateway/testing/test-plant';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import {
  createTestPlatform,
  operatorToken,
  type TestFactory,
  type TestPlatform,
  tokenOf,
} from '@nhip/sector/platform/testing/test-platform';
import { afterAll, beforeAll, expect, it } from 'vitest';

const minuteMs = 60_000;
const clock = createSimClock(startMs);
const gateways: Gateway[] = [];
let database: TestDatabase;
let sector: TestPlatform;
let factory: TestFactory;
let port = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  sector = await createTestPlatform(database.database, startMs);
  await sector.platform.app.listen({ host: '127.0.0.1', port: 0 });
  port = (sector.platform.app.server.address() as AddressInfo).port;
  factory = await sector.enrol(enterpriseId);
  await sector.call('PUT', `/v1/operator/enterprises/${enterpriseId}/agreements/urn:agreement:2026-0012`, {
    as: operatorToken,
    body: { products: ['vn.sector.machine-status'], purposes: ['sector_statistics'], validFrom: '2026-01-01T00:00:00Z' },
  });
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await sector.platform.stop();
  await database.remove();
});

async function openGateway(options: { readonly isEnabled: boolean; readonly isShared: boolean }): Promise<Gateway> {
  const plant = createTestPlant({ seed: 1, machines: 1, fromMs: startMs, toMs: startMs, lateEvery: 9, now: () => clock.now() });
  const recipient = { clientId: factory.clientId, platformKeyFile: 'x' };
  const gateway = createGateway({
    env: { clock, random: createSimRandom(1), disk: createSimDisk().boot() },
    log: silentLog(),
    figures: plant.figures,
    config: gatewayConfig.parse({
      ...{ enterpriseId, establishmentId: 'nm-01', provinceCode: '79', activityCode: '1410', backfillDays: 0 },
      statusStream: { enabled: options.isEnabled, machineClasses: { 'hoalac/may/M01': 'sewing_line' } },
      recipients: { 'sector-platform': recipient },
    }),
    files: {
      signingKey: async () => factory.key,
      policyText: async () => policyYaml({ url: `http://127.0.0.1:${port}/v1`, status: options.isShared }),
      platformKeys: async () => [],
      secret: async () => factory.clientSecret,
      tls: async () => ({}),
      bundle: () => createSimDisk().boot(),
    },
    version: '0.1.0',
  });
  gateways.push(gateway);
  await gateway.start();
  await gateway.work();
  for (const { digest, approvers } of await gateway.desk.policies())
    for (const by of approvers) await gateway.desk.approvePolicy(digest, by);
  await gateway.work();
  return gateway;
}

/** Moves both clocks, and lets the gateway do what is due. */
async function pass(gateway: Gateway, ms: number): Promise<void> {
  sector.advanceMs(ms);
  await clock.advance(ms);
  await gateway.work();
}

interface Held {
  readonly eventId: string;
  readonly data: { readonly machineRef: string; readonly state: string; readonly since: string };
}

async function held(): Promise<readonly Held[]> {
  const as = await tokenOf(sector.call, factory.clientId, factory.clientSecret);
  const { json } = await sector.call('GET', '/v1/me/machine-status', { as });
  return (json.events as readonly Held[]).toReversed();
}

it('sends nothing of machines by default, nor with half of the consent', async () => {
  for (const options of [
    { isEnabled: false, isShared: true },
    { isEnabled: true, isShared: false },
  ]) {
    const gateway = await openGateway(options);
    gateway.machineChanged({ machine: 'hoalac/may/M01', state: 'fault', sinceMs: clock.now() });
    await pass(gateway, 2 * minuteMs);
    await pass(gateway, 2 * minuteMs);
    await gateway.stop();
  }
  expect(await held()).toEqual([]);
});

it('sends states a minute later, each once, under pseudonyms, also after the platform was away or its answer was lost', async () => {
  const gateway = await openGateway({ isEnabled: true, isShared: true });
  const change = (state: 'running' | 'fault' | 'idle') =>
    gateway.machineChanged({ machine: 'hoalac/may/M01', state, sinceMs: clock.now() });
  change('fault');
  await pass(gateway, minuteMs - 1000);
  expect(await held()).toEqual([]);
  await pass(gateway, 15_000);
  const [first] = await held();
  expect(first?.data).toEqual({
    ...{ machineRef: expect.stringMatching(/^m_.{22}$/), machineClass: 'sewing_line', state: 'fault' },
    ...{ since: new Date(clock.now() - minuteMs - 14_000).toISOString(), seq: expect.any(Number), consentId: 'urn:agreement:2026-0012' },
  });
  expect(JSON.stringify(first)).not.toContain('M01');

  // It keeps the events, and the factory never hears of it: what was sent is sent again.
  const { server } = sector.platform.app;
  const lose = (_request: unknown, response: { end(): unknown; destroy(): unknown }): void => {
    response.end = response.destroy;
  };
  change('running');
  server.prependListener('request', lose);
  await pass(gateway, 2 * minuteMs);
  server.off('request', lose);
  expect((await held()).map(({ data }) => data.state)).toEqual(['fault', 'running']);

  change('idle');
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  for (let i = 0; i < 10; i++) await pass(gateway, minuteMs);
  change('fault');
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  for (let i = 0; i < 20; i++) await pass(gateway, minuteMs);
  const all = await held();
  expect(all.map(({ data }) => data.state)).toEqual(['fault', 'running', 'idle', 'fault']);
  expect(new Set(all.map(({ data }) => data.machineRef)).size).toBe(1);

  change('running');
  await gateway.desk.revoke('sector-platform', 'vn.sector.machine-status', 'giam-doc');
  await pass(gateway, 2 * minuteMs);
  expect(await held()).toHaveLength(4);
});
