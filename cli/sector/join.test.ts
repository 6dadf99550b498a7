import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import { createTestPlatform, operatorToken, type TestPlatform } from '@nhip/sector/platform/testing/test-platform';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { join as command } from './join.ts';

const enterprise = '0999999983';
let root: string;
let database: TestDatabase;
let platform: TestPlatform;
let url: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-join-'));
  database = await openTestDatabase();
  platform = await createTestPlatform(database.database, Date.now());
  url = `${await platform.platform.app.listen({ host: '127.0.0.1', port: 0 })}/v1`;
});
afterAll(async () => {
  await platform.platform.stop();
  await database.remove();
  rmSync(root, { recursive: true });
});

async function oneTimeCode(): Promise<string> {
  const base = `/v1/operator/enterprises/${enterprise}`;
  const establishments = [{ establishmentId: 'P1', name: 'P1' }];
  await platform.call('PUT', base, { as: operatorToken, body: { name: 'E', establishments } });
  return String((await platform.call('POST', `${base}/enrolment-codes`, { as: operatorToken, body: {} })).json.code);
}

it('keeps what the platform gives private to the user, and joins only once', async () => {
  const config = join(root, 'server.yaml');
  const recipient = '{ periods: [P1D], clientId: x, secretFile: secret, platformKeyFile: platform.json }';
  writeFileSync(
    config,
    `sharing: { enterpriseId: '${enterprise}', establishmentId: P1, provinceCode: '01', activityCode: '2220', products: {}, policyFile: policy.yaml, keyFile: key.pem, recipients: { r: ${recipient} } }`,
  );
  const run = (code: string) =>
    command.run(parseInput(command, ['-c', config, '--recipient', 'r', '--url', url, '--code', code, '--json'], {}));
  let said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
  await expect(run('wrong')).rejects.toThrow(/refused the enrolment/);
  expect(await run(await oneTimeCode())).toBe(0);
  vi.restoreAllMocks();
  expect(JSON.parse(said)).toEqual({ kid: expect.stringContaining(enterprise), clientId: expect.any(String) });
  expect(readFileSync(join(root, 'secret'), 'utf8')).toMatch(/^\S{20,}\n$/);
  expect(JSON.parse(readFileSync(join(root, 'platform.json'), 'utf8'))).toMatchObject({ kty: 'OKP', crv: 'Ed25519' });
  for (const name of ['secret', 'platform.json', 'key.pem']) expect(statSync(join(root, name)).mode & 0o077).toBe(0);
  await expect(run('another')).rejects.toThrow(/exists already/);
});
