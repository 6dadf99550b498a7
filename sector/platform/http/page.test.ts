import { afterAll, beforeAll, expect, it } from 'vitest';
import { reportBytes as sampleBytesOf } from '../../contract/digest.ts';
import { sampleBytes, signedSample } from '../testing/sample-report.ts';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestPlatform, operatorToken, type TestFactory, type TestPlatform, taxCodes } from '../testing/test-platform.ts';

let opened: TestDatabase;
let server: TestPlatform;
let factory: TestFactory;
beforeAll(async () => {
  opened = await openTestDatabase();
  server = await createTestPlatform(opened.database);
  factory = await server.enrol(taxCodes[0]);
}, 120_000);
afterAll(() => opened.remove());

const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
});

async function login(): Promise<string> {
  const { clientId, clientSecret } = factory;
  const { status, headers } = await server.call('POST', '/login', form({ clientId, clientSecret }));
  expect(status).toBe(303);
  const cookie = String(headers['set-cookie']);
  expect(cookie).toContain('HttpOnly; SameSite=Strict');
  return cookie.split(';')[0] ?? '';
}

it('shows what arrived, gives its receipt, tells who read it, in both languages and without scripts', async () => {
  const report = signedSample({ enterpriseId: factory.enterpriseId, establishmentId: 'nm-01', day: 1 }, factory.key);
  const sent = await server.call('POST', '/v1/reports', { as: factory.token, body: sampleBytesOf(report) });
  const bad = sampleBytes({ enterpriseId: factory.enterpriseId, establishmentId: 'nm-99', day: 2 }, factory.key);
  await server.call('POST', '/v1/reports', { as: factory.token, body: bad });
  await server.agree(factory.enterpriseId);
  const cookie = await login();
  const page = async (query: string) => server.call('GET', `/${query}`, { headers: { cookie } });
  const { bytes, headers } = await page('');
  const text = bytes.toString();
  for (const each of [
    'Công ty mẫu',
    'Báo cáo đã nhận',
    'Chính thức',
    'Cơ sở chưa được đăng ký',
    'own page',
    'urn:agreement:2026-0012',
    `/receipts/${report.reportId}`,
  ]) {
    expect(text).toContain(each);
  }
  expect(text).not.toMatch(/<script|style=|onclick/);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect((await page('?lang=en')).bytes.toString()).toContain('Reports received');
  const receipt = await server.call('GET', `/receipts/${report.reportId}`, { headers: { cookie } });
  expect([receipt.bytes, receipt.headers['content-disposition']]).toEqual([sent.bytes, expect.stringContaining('attachment')]);
  await server.call('POST', '/logout', { headers: { cookie } });
  expect((await page('')).bytes.toString()).toContain('Đăng nhập');
  expect((await server.call('GET', `/receipts/${report.reportId}`, { headers: { cookie } })).status).toBe(401);
});

it('refuses wrong secrets and forms of other sites, and ends sessions without use', async () => {
  const wrong = await server.call('POST', '/login', form({ clientId: factory.clientId, clientSecret: 'nhips_wrong' }));
  expect([wrong.status, wrong.headers['set-cookie']]).toEqual([401, undefined]);
  const { clientId, clientSecret } = factory;
  const foreign = await server.call('POST', '/login', form({ clientId, clientSecret }, { origin: 'https://evil.example' }));
  expect(foreign.status).toBe(403);
  const cookie = await login();
  server.advanceMs(31 * 60_000);
  expect((await server.call('GET', '/', { headers: { cookie } })).bytes.toString()).toContain('Đăng nhập');
});

it('shows names as text', async () => {
  const establishments = [{ establishmentId: 'nm-01', name: 'x' }];
  const name = '<img src=x onerror=alert(1)>"\'&';
  await server.call('PUT', `/v1/operator/enterprises/${factory.enterpriseId}`, { as: operatorToken, body: { name, establishments } });
  const { bytes } = await server.call('GET', '/', { headers: { cookie: await login() } });
  expect(bytes.toString()).toContain('&#60;img src=x onerror=alert(1)&#62;');
  expect(bytes.toString()).not.toContain('<img');
});
