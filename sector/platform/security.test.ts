import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { reportBytes } from '../contract/digest.ts';
import { generateKey, jwkOf } from '../contract/keys.ts';
import { type ProductionReport, seriesKeyOf } from '../contract/report.ts';
import { signDetached } from '../contract/signature.ts';
import { describeEachDatabase } from './testing/each-database.ts';
import { signedSample } from './testing/sample-report.ts';
import { createTestPlatform, operatorToken, type TestFactory, type TestPlatform, taxCodes, tokenOf } from './testing/test-platform.ts';

const hostile = [
  "' OR '1'='1",
  "'; DROP TABLE report; --",
  '$1',
  "\\'; SELECT pg_sleep(9)--",
  '%00',
  '\u0000',
  '{a,b}',
  '1) OR (1=1',
  '\ud800',
];

describeEachDatabase((database) => {
  let server: TestPlatform;
  let factories: readonly TestFactory[];
  let reports: readonly ProductionReport[];

  beforeAll(async () => {
    server = await createTestPlatform(database());
    factories = [await server.enrol(taxCodes[0]), await server.enrol(taxCodes[1])];
    reports = factories.map(({ enterpriseId, key }) => signedSample({ enterpriseId, establishmentId: 'nm-01', day: 1 }, key));
    for (const [i, { token }] of factories.entries()) {
      const body = reportBytes(reports[i] as ProductionReport);
      expect((await server.call('POST', '/v1/reports', { as: token, body })).status).toBe(201);
    }
  });

  const factory = (i: number): TestFactory => factories[i] as TestFactory;
  const own = (i: number): ProductionReport => reports[i] as ProductionReport;

  describe('tenants', () => {
    it('see their own rows and nothing of another, by every address and filter', async () => {
      const filter = fc.record(
        {
          establishmentId: fc.constantFrom('nm-01', 'nm-02'),
          asOf: fc.constantFrom('2027-06-01T00:00:01Z', '2059-01-01T00:00:00Z'),
          from: fc.constant('2000-01-01T00:00:00Z'),
          limit: fc.constantFrom('0', '1', '500'),
          before: fc.nat(10).map(String),
        },
        { requiredKeys: [] },
      );
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(0, 1), filter, async (i, query) => {
          const as = factory(i).token;
          const theirs = own(1 - i);
          const strings = new URLSearchParams(query).toString();
          const answers = await Promise.all(
            [
              `/v1/reports?${strings}`,
              `/v1/reports/${theirs.reportId}`,
              `/v1/reports/${theirs.reportId}/receipt`,
              `/v1/series/${encodeURIComponent(seriesKeyOf(theirs))}/reports`,
              `/v1/me/refused`,
              `/v1/me/access-log`,
            ].map((url) => server.call('GET', url, { as })),
          );
          expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 404, 200, 200]);
          const [list, , , , refused] = answers.map(({ bytes }) => bytes.toString());
          expect(`${list}${refused}`).not.toContain(theirs.reporter.enterpriseId);
        }),
        { numRuns: 25 },
      );
      expect((await server.call('GET', `/v1/reports/${own(0).reportId}`, { as: factory(0).token })).status).toBe(200);
    });

    it('see in their access log who read what and why, page by page', async () => {
      const read = (purpose: string) =>
        server.call('GET', `/v1/reports/${own(1).reportId}`, {
          as: factory(1).token,
          headers: { 'nhip-purpose': encodeURIComponent(purpose) },
        });
      for (const purpose of ['Kiểm tra nội bộ', 'audit', 'audit']) await read(purpose);
      const page = async (query: string) =>
        (await server.call('GET', `/v1/me/access-log?${query}`, { as: factory(1).token })).json.entries as {
          entryId: number;
          purpose: string;
        }[];
      const first = await page('limit=2');
      const second = await page(`limit=2&before=${first[1]?.entryId}`);
      expect(first).toMatchObject([
        { purpose: 'audit', action: 'read report', object: own(1).reportId, rowCount: 1 },
        { purpose: 'audit' },
      ]);
      expect(second[0]).toMatchObject({ purpose: 'Kiểm tra nội bộ', reader: `client ${factory(1).clientId}`, role: 'enterprise' });
      expect(new Set([...first, ...second].map(({ entryId }) => entryId)).size).toBe(4);
    });
  });

  describe('callers', () => {
    it('need a token of the right kind for every route that is not open', async () => {
      const urlOf = (path: string) =>
        path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
          name === 'enterpriseId' ? taxCodes[0] : '00000000-0000-4000-8000-000000000000',
        );
      for (const route of server.platform.routes) {
        if (route.access === 'open') continue;
        const wrong = route.access === 'operator' ? factory(0).token : operatorToken;
        const body = route.body === undefined ? {} : { body: '{}' };
        const status = async (as?: string) =>
          (await server.call(route.method, urlOf(route.path), { ...body, ...(as === undefined ? {} : { as }) })).status;
        expect([await status(), await status('nhipt_wrong'), await status(wrong)], route.path).toEqual([401, 401, 403]);
      }
    });

    it('with a client for reading may not send; a revoked client and its token are out at once', async () => {
      const base = `/v1/operator/enterprises/${taxCodes[0]}/clients`;
      const { json } = await server.call('POST', base, { as: operatorToken, body: { name: 'web', scopes: ['reports:read'] } });
      const token = await tokenOf(server.call, String(json.clientId), String(json.clientSecret));
      expect((await server.call('GET', '/v1/reports', { as: token })).status).toBe(200);
      expect((await server.call('POST', '/v1/reports', { as: token, body: '{}' })).status).toBe(403);
      expect((await server.call('DELETE', `${base}/${json.clientId}`, { as: operatorToken })).status).toBe(204);
      expect((await server.call('GET', '/v1/reports', { as: token })).status).toBe(401);
      await expect(tokenOf(server.call, String(json.clientId), String(json.clientSecret))).rejects.toThrow(/invalid_client/);
    });

    it('lose their token after 15 minutes', async () => {
      const { clientId, clientSecret } = factory(0);
      const token = await tokenOf(server.call, clientId, clientSecret);
      const status = async () => (await server.call('GET', '/v1/me/access-log', { as: token })).status;
      expect(await status()).toBe(200);
      server.advanceMs(15 * 60_000 + 1);
      expect(await status()).toBe(401);
      factories = await Promise.all(
        factories.map(async (each) => ({ ...each, token: await tokenOf(server.call, each.clientId, each.clientSecret) })),
      );
    });

    it('cannot use an enrolment code twice, nor for a key that they do not have', async () => {
      const base = `/v1/operator/enterprises/${taxCodes[1]}/enrolment-codes`;
      const { json } = await server.call('POST', base, { as: operatorToken, body: {} });
      const enrol = async (keyName: string, isOwn: boolean) => {
        const { privateKey, publicKey } = generateKey();
        const kid = `${taxCodes[1]}#${keyName}`;
        const { kty, crv, x } = jwkOf(kid, publicKey);
        const signed = { code: String(json.code), keyName, publicKey: { kty, crv, x } };
        const signer = { kid, privateKey: isOwn ? privateKey : generateKey().privateKey };
        return (await server.call('POST', '/v1/enrolment', { body: { ...signed, signature: signDetached(signed, signer) } })).status;
      };
      expect([await enrol('k2', false), await enrol('k1', true), await enrol('k2', true), await enrol('k3', true)]).toEqual([
        422, 409, 201, 403,
      ]);
    });

    it('who guess secrets are told to wait', async () => {
      const guess = () =>
        tokenOf(server.call, factory(0).clientId, 'nhips_wrong').then(
          () => 0,
          (error: Error) => error.message,
        );
      const answers: unknown[] = [];
      for (let i = 0; i < 25; i++) answers.push(await guess());
      expect(answers.at(0)).toMatch(/invalid_client/);
      expect(answers.at(-1)).toMatch(/429|Too many/);
      server.advanceMs(60_001);
    });
  });

  describe('hostile text', () => {
    it('in any parameter is refused or stored as text; the tables stay', async () => {
      for (const text of hostile) {
        const encoded = (() => {
          try {
            return encodeURIComponent(text);
          } catch {
            return '%ED%A0%80';
          }
        })();
        const as = factory(0).token;
        const calls = [
          server.call('GET', `/v1/reports/${encoded}`, { as }),
          server.call('GET', `/v1/series/${encoded}/reports?asOf=${encoded}`, { as }),
          server.call('GET', `/v1/series/${encoded}/reports`, { as }),
          server.call('GET', `/v1/reports?establishmentId=${encoded}&from=${encoded}`, { as }),
          server.call('GET', `/v1/me/access-log?before=${encoded}`, { as }),
          server.call('GET', '/v1/reports', { as, headers: { 'nhip-purpose': encoded } }),
          server.call('GET', `/v1/log/proof?leaf=${encoded}`),
          server.call('POST', '/oauth/token', {
            body: new URLSearchParams({ grant_type: 'client_credentials', client_id: text, client_secret: text, scope: text }).toString(),
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }),
          server.call('PUT', `/v1/operator/enterprises/${encoded}`, { as: operatorToken, body: { name: text, establishments: [] } }),
          server.call('PUT', `/v1/operator/enterprises/${taxCodes[0]}`, {
            as: operatorToken,
            body: { name: text, establishments: [{ establishmentId: 'nm-01', name: text }] },
          }),
          server.call('POST', `/v1/operator/enterprises/${taxCodes[0]}/clients`, {
            as: operatorToken,
            body: { name: text, scopes: ['reports:read'] },
          }),
          server.call('POST', '/v1/reports', { as, body: Buffer.from(text) }),
          server.call('POST', '/v1/reports', { as, body: JSON.stringify([text, { reporter: { enterpriseId: text } }]) }),
        ];
        for (const { status, bytes } of await Promise.all(calls)) expect(status, `${text}: ${bytes}`).toBeLessThan(500);
        server.advanceMs(60_001);
      }
      factories = await Promise.all(
        factories.map(async (each) => ({ ...each, token: await tokenOf(server.call, each.clientId, each.clientSecret) })),
      );
      const [{ json }] = [await server.call('GET', '/v1/reports', { as: factory(0).token })];
      expect(json.reports).toHaveLength(1);
    });
  });
});
