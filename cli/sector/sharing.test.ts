import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { eventually, startRig } from '@nhip/live/testing/rig';
import { pemOf } from '@nhip/sector/contract/keys';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import {
  createTestPlatform,
  operatorToken,
  type TestFactory,
  type TestPlatform,
  taxCodes,
} from '@nhip/sector/platform/testing/test-platform';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dataFolder } from '../folders.ts';
import { serverConfig } from '../server-config.ts';
import { composeSharing, type Sharing } from './sharing.ts';

const machine = 'hoalac/may/M01';
const agreementId = 'urn:agreement:2026-0012';
const approvers = ['giam-doc', 'phu-trach'];
let root: string;
let database: TestDatabase;
let platform: TestPlatform;
let factory: TestFactory;
let url: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-sharing-'));
  database = await openTestDatabase();
  platform = await createTestPlatform(database.database, Date.now());
  await platform.platform.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(platform.platform.app.server.address() as AddressInfo).port}/v1`;
  factory = await platform.enrol(taxCodes[0]);
  await platform.call('PUT', `/v1/operator/enterprises/${factory.enterpriseId}/agreements/${agreementId}`, {
    as: operatorToken,
    body: { products: ['vn.sector.machine-status'], purposes: ['sector_statistics'], validFrom: '2026-01-01T00:00:00Z' },
  });
});
afterAll(async () => {
  await platform.platform.stop();
  await database.remove();
  rmSync(root, { recursive: true });
});

function compose(): Sharing {
  const { enterpriseId, clientId, clientSecret, key } = factory;
  const folder = dataFolder(join(root, 'data'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(root, name), text, { mode: 0o600 });
    return name;
  };
  const product = { contract: 'vn.sector.machine-status', enabled: true };
  const policy = {
    ...{ policyId: `urn:policy:${enterpriseId}:nm-01:sector`, version: 1, validFrom: '2026-01-01T00:00:00+07:00' },
    owner: { enterpriseId, approvers, approvalsNeeded: 2 },
    defaults: { effect: 'deny' },
    recipients: [
      {
        id: 'sector-platform',
        endpoint: { adapter: 'https', url, jurisdiction: 'VN' },
        ...{ legalBasis: 'consent', agreementId, purposes: ['sector_statistics'], products: [product] },
      },
    ],
  };
  const config = serverConfig.parse({
    sharing: {
      ...{ enterpriseId, establishmentId: 'nm-01', provinceCode: '79', activityCode: '1410', backfillDays: 0 },
      policyFile: file('sharing-policy.yaml', JSON.stringify(policy)),
      keyFile: file('signing-key.pem', pemOf(key.privateKey)),
      statusStream: { enabled: true, machineClasses: { [machine]: 'sewing_line' } },
      recipients: {
        'sector-platform': {
          clientId,
          secretFile: file('secret', clientSecret),
          platformKeyFile: file('platform.pem', pemOf(createPublicKey(platform.key.privateKey))),
        },
      },
    },
  });
  const setup = { config, folder, plant: undefined, files: [join(root, 'server.yaml')] };
  const sharing = composeSharing(setup, { log: silentLog(), version: '0.0.0', api: () => undefined, intervalMs: 50 });
  if (sharing === undefined) throw new Error('nothing was composed');
  return sharing;
}

it('brings a change of state from the live role to the platform, once two people have agreed', async () => {
  const sharing = compose();
  await sharing.part.start();
  const rig = await startRig({ machineChanged: sharing.machineChanged });
  // By the clock of the machine some minutes ago, so that the minute of delay is over.
  let seconds = 600;
  const say = (state: string): Promise<unknown> => rig.publish(machine, { State: state }, Date.now() - 1000 * seconds--);
  const stateOf = async (): Promise<string> => {
    const answer = await fetch(`${rig.url}/api/v1/machines/${encodeURIComponent(machine)}`, { headers: { cookie } });
    return String(((await answer.json()) as { state?: unknown }).state);
  };
  const cookie = await rig.login();
  const shown = (state: string) => eventually(async () => ((await stateOf()) === state ? true : undefined));
  try {
    await say('running');
    await shown('running');
    const [policy] = await sharing.desk.policies();
    for (const by of approvers) await sharing.desk.approvePolicy(policy?.digest ?? '', by);
    for (const state of ['fault', 'idle']) {
      await say(state);
      await shown(state);
    }
    const events = await eventually(async () => {
      const { json } = await platform.call('GET', '/v1/me/machine-status', { as: factory.token });
      const found = json.events as readonly { readonly data: Readonly<Record<string, unknown>> }[];
      return found.length >= 2 ? found.toReversed() : undefined;
    });
    expect(events.map(({ data }) => [data.state, data.machineClass, data.consentId])).toEqual([
      ['fault', 'sewing_line', agreementId],
      ['idle', 'sewing_line', agreementId],
    ]);
    expect(JSON.stringify(events)).not.toContain('M01');
  } finally {
    await rig.close();
    await sharing.part.stop();
  }
});
