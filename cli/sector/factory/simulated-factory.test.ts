import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { isTaxCode } from '@nhip/sector/contract/codes/tax-code';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import { createTestPlatform, operatorToken, type TestPlatform, tokenOf } from '@nhip/sector/platform/testing/test-platform';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseInput } from '../../arguments.ts';
import { factory as command } from '../factory.ts';
import { findFactory, simulatedFactories } from './factories.ts';
import { simulatedAgreement, simulatedPurposes } from './factory-policy.ts';
import { createSimulatedFactory, type SimulatedFactory } from './simulated-factory.ts';

// Days of simulation, on a computer that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** Thursday morning: three days of the week are closed. */
let nowMs = Date.parse('2026-11-19T09:30:00+07:00');
const dayMs = 86_400_000;
const identity = findFactory('bac-ninh');

let database: TestDatabase;
let platform: TestPlatform;
let root: string;
let sectorUrl: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-factory-'));
  database = await openTestDatabase();
  platform = await createTestPlatform(database.database, nowMs);
  sectorUrl = await platform.platform.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await platform.platform.stop();
  await database.remove();
  rmSync(root, { recursive: true });
});

async function codeFor({ enterpriseId, establishmentId, definition }: typeof identity): Promise<string> {
  const base = `/v1/operator/enterprises/${enterpriseId}`;
  const establishments = [{ establishmentId, name: definition.site.vi }];
  await platform.call('PUT', base, { as: operatorToken, body: { name: definition.enterprise.vi, establishments } });
  await platform.call('PUT', `${base}/agreements/${encodeURIComponent(simulatedAgreement(identity))}`, {
    as: operatorToken,
    body: { products: ['vn.sector.production-report'], purposes: simulatedPurposes, validFrom: '2025-12-01T00:00:00+07:00' },
  });
  const { json } = await platform.call('POST', `${base}/enrolment-codes`, {
    as: operatorToken,
    body: { keyValidFrom: '2026-11-01T00:00:00Z' },
  });
  return String(json.code);
}

function make(
  options: { readonly code?: string; readonly days?: number; readonly url?: string; readonly folder?: string } = {},
): SimulatedFactory {
  const folder = join(root, options.folder ?? identity.id);
  const real = createNodeEnv(join(folder, 'gateway'));
  const env: Env = { ...real, clock: { ...real.clock, now: () => nowMs } };
  const { code, days = 3, url = sectorUrl } = options;
  return createSimulatedFactory(identity, { folder, sectorUrl: url, code, days }, { env, log: silentLog(), version: '0.0.0' });
}

describe('a simulated factory', () => {
  it('reports its closed days with receipts, and after a restart nothing again', async () => {
    const first = make({ code: await codeFor(identity) });
    await first.start();
    expect(await first.counts()).toEqual({ accepted: 3, waiting: 0, refused: 0 });
    const { items } = await first.desk.items({});
    expect(items.map(({ period }) => period.from).sort()[0]).toBe('2026-11-16T06:00:00+07:00');
    for (const { warnings, receipt } of items) expect([warnings, receipt === undefined]).toEqual([[], false]);
    const [policy] = await first.desk.policies();
    expect(policy?.approvals.map(({ by }) => by)).toEqual(identity.approvers);
    await first.stop();

    const folder = join(root, identity.id);
    for (const name of ['', 'signing-key.pem', 'client-secret', 'sharing-policy.yaml'])
      expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    const received = await reportsAtPlatform(folder);
    expect(received).toHaveLength(3);

    const second = make();
    await second.start();
    expect(await second.counts()).toEqual({ accepted: 3, waiting: 0, refused: 0 });
    await second.stop();
    expect(await reportsAtPlatform(folder)).toEqual(received);
  });

  it('follows a platform that moves by a new version of its policy, and sends later what waits', async () => {
    const moved = make({ url: 'http://127.0.0.1:1' });
    await moved.start();
    await moved.stop();
    nowMs += dayMs;
    platform.advanceMs(dayMs);
    const away = make({ url: 'http://127.0.0.1:1' });
    await away.start();
    expect(await away.counts()).toEqual({ accepted: 3, waiting: 1, refused: 0 });
    expect((await away.desk.overview()).recipients[0]).toMatchObject({ url: 'http://127.0.0.1:1/v1', downReason: expect.any(String) });
    await away.stop();

    const back = make();
    await back.start();
    expect(await back.counts()).toEqual({ accepted: 4, waiting: 0, refused: 0 });
    const policies = await back.desk.policies();
    expect(policies.map(({ version, state }) => [version, state])).toEqual([
      [3, 'in-force'],
      [2, 'old'],
      [1, 'old'],
    ]);
    await back.stop();
  });

  it('says what it needs', async () => {
    const folder = 'other';
    await expect(make({ folder }).start()).rejects.toThrow(/--code.*\n.*nhip sector enrol 0999999969 --plant bac-ninh-01/);
    await expect(make({ folder, code: 'wrong' }).start()).rejects.toThrow(/refused the enrolment \(403\)/);
    await expect(make({ folder, code: 'any', url: 'http://127.0.0.1:1' }).start()).rejects.toThrow(/127\.0\.0\.1:1/);
    const run = (...args: readonly string[]) => command.run(parseInput(command, args, {}));
    await expect(run('nowhere')).rejects.toThrow(/"nowhere" is no simulated factory: one of tay-ninh/);
    await expect(run('bac-ninh', '--sector-url', 'http://example.org')).rejects.toThrow(/is no address https/);
    await expect(run('bac-ninh', '--days', '61')).rejects.toThrow(/0–60/);
  });

  it('has a tax code that is sound and not given out', () => {
    for (const { enterpriseId } of simulatedFactories) expect([isTaxCode(enterpriseId), enterpriseId.slice(0, 4)]).toEqual([true, '0999']);
  });
});

async function reportsAtPlatform(folder: string): Promise<readonly unknown[]> {
  const { clientId } = JSON.parse(readFileSync(join(folder, 'enrolment.json'), 'utf8')) as { clientId: string };
  const token = await tokenOf(platform.call, clientId, readFileSync(join(folder, 'client-secret'), 'utf8').trim());
  const { json } = await platform.call('GET', '/v1/reports', { as: token });
  return json.reports as readonly unknown[];
}
