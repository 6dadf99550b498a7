import { beforeAll, describe, expect, it } from 'vitest';
import { digestOf, reportBytes } from '../contract/digest.ts';
import type { Receipt } from '../contract/receipt.ts';
import type { ProductionReport, Sharing, UnsignedReport } from '../contract/report.ts';
import { signReport } from '../contract/signature.ts';
import { describeEachDatabase } from './testing/each-database.ts';
import { type SampleOptions, sampleReport, signedSample } from './testing/sample-report.ts';
import { createTestPlatform, operatorToken, type TestFactory, type TestPlatform, taxCodes, tokenOf } from './testing/test-platform.ts';

const agreementId = 'urn:agreement:2026-0012';
const terms = {
  products: ['vn.sector.production-report'],
  purposes: ['energy_efficiency', 'sector_statistics'],
  reference: '12/2026/HĐ-CSDL',
  validFrom: '2026-01-01T00:00:00+07:00',
  validTo: '2027-01-01T00:00:00+07:00',
};

describeEachDatabase((database) => {
  let server: TestPlatform;
  let factory: TestFactory;
  let other: TestFactory;
  let day = 0;

  beforeAll(async () => {
    server = await createTestPlatform(database());
    factory = await server.enrol(taxCodes[0]);
    other = await server.enrol(taxCodes[1]);
  });

  const options = (more: Partial<SampleOptions> = {}): SampleOptions => ({
    enterpriseId: factory.enterpriseId,
    establishmentId: 'nm-01',
    day: day++,
    ...more,
  });
  const under = (sharing: Partial<Sharing>, more: Partial<SampleOptions> = {}, change: Partial<UnsignedReport> = {}): ProductionReport => {
    const report = sampleReport(options(more));
    return signReport({ ...report, ...change, sharing: { ...report.sharing, ...sharing } }, factory.key);
  };
  const send = (report: ProductionReport, as = factory.token) => server.call('POST', '/v1/reports', { as, body: reportBytes(report) });
  const validate = (report: ProductionReport) =>
    server.call('POST', '/v1/reports:validate', { as: factory.token, body: reportBytes(report) });
  /** Status, then code and pointer of what refused it. */
  const fate = async (report: ProductionReport): Promise<readonly unknown[]> => {
    const { status, json } = await send(report);
    return [status, ...((json.errors as { code: string; pointer: string }[]) ?? []).map(({ code, pointer }) => `${code} ${pointer}`)];
  };
  const refused = [422, 'E112 /sharing/agreementId'];
  const ofOperator = (id: string, enterpriseId: string = taxCodes[0]) =>
    `/v1/operator/enterprises/${enterpriseId}/agreements/${encodeURIComponent(id)}`;
  const record = (id: string, change: object = {}, enterpriseId: string = taxCodes[0]) =>
    server.call('PUT', ofOperator(id, enterpriseId), { as: operatorToken, body: { ...terms, ...change } });
  const revoke = (id: string, as: string) => server.call('POST', `/v1/agreements/${encodeURIComponent(id)}/revocation`, { as });

  describe('an agreement', () => {
    it('that nobody recorded refuses the report; recorded it is taken, and a validation says the same', async () => {
      const report = under({ agreementId });
      expect(await fate(report)).toEqual(refused);
      expect((await validate(report)).status).toBe(422);
      expect((await record(agreementId)).status).toBe(201);
      expect((await validate(report)).json).toEqual({ valid: true, findings: [] });
      expect(await fate(report)).toEqual([201]);
      expect(await fate(under({}))).toEqual([201]);
    });

    it('is recorded once: the same again changes nothing, other terms or another enterprise are refused', async () => {
      expect((await record(agreementId, { purposes: terms.purposes.toReversed() })).status).toBe(200);
      expect((await record(agreementId, { validTo: '2028-01-01T00:00:00+07:00' })).status).toBe(409);
      expect((await record(agreementId, {}, taxCodes[1])).status).toBe(409);
      expect((await record('urn:agreement:backwards', { validTo: terms.validFrom })).status).toBe(422);
      expect((await record('no urn')).status).toBe(400);
      expect((await record('urn:agreement:nobody', {}, '0102030405')).status).toBe(404);
    });

    it('of another enterprise, out of its dates, about another product or purpose does not cover a report', async () => {
      await record('urn:agreement:theirs', {}, taxCodes[1]);
      expect(await fate(under({ agreementId: 'urn:agreement:theirs' }))).toEqual(refused);
      await record('urn:agreement:late', { validFrom: '2026-03-01T00:00:00+07:00' });
      expect(await fate(under({ agreementId: 'urn:agreement:late' }))).toEqual(refused);
      await record('urn:agreement:states', { products: ['vn.sector.machine-status'] });
      expect(await fate(under({ agreementId: 'urn:agreement:states' }))).toEqual(refused);
      expect(await fate(under({ agreementId, purposes: ['sector_statistics', 'research'] }))).toEqual([422, 'E112 /sharing/purposes']);
      const { refused: kept } = (await server.call('GET', '/v1/me/refused', { as: factory.token })).json as { refused: object[] };
      expect(kept[0]).toMatchObject({ findings: [{ code: 'E112', message: { vi: expect.stringContaining('research') } }] });
    });

    it('revoked by the enterprise stops what is new at once; what was accepted keeps its receipt and can be withdrawn', async () => {
      const accepted = under({ agreementId });
      const first = await send(accepted);
      expect(first.status).toBe(201);
      expect((await revoke(agreementId, other.token)).status).toBe(404);
      const revoked = await revoke(agreementId, factory.token);
      expect(revoked.json).toMatchObject({ agreementId, revokedBy: `client ${factory.clientId}`, revokedAt: expect.any(String) });
      expect(await fate(under({ agreementId }))).toEqual(refused);

      const again = await send(accepted);
      expect([again.status, again.bytes]).toEqual([200, first.bytes]);
      const change = { production: { output: [] }, energy: [], status: 'withdrawn', revisionReason: 'withdrawal' } as const;
      expect(await fate(under({ agreementId }, { day: day - 2, revision: 2, supersedes: accepted }, change))).toEqual([201]);
      expect(await fate(under({ agreementId, legalBasis: 'statutory' }))).toEqual([201]);

      server.advanceMs(60_000);
      expect((await revoke(agreementId, factory.token)).bytes).toEqual(revoked.bytes);
      const renewed = await record(agreementId);
      expect([renewed.status, renewed.json.revokedAt]).toEqual([200, revoked.json.revokedAt]);
    });

    it('revoked by the operator stops it as well, and both see the list', async () => {
      const id = 'urn:agreement:second';
      await record(id);
      expect(await fate(under({ agreementId: id }))).toEqual([201]);
      expect((await server.call('POST', `${ofOperator(id)}/revocation`, { as: operatorToken })).json.revokedBy).toBe('operator');
      expect(await fate(under({ agreementId: id }))).toEqual(refused);
      const own = await server.call('GET', '/v1/agreements', { as: factory.token });
      const theirs = await server.call('GET', `/v1/operator/enterprises/${taxCodes[0]}/agreements`, { as: operatorToken });
      expect(own.bytes).toEqual(theirs.bytes);
      expect((own.json.agreements as { agreementId: string }[]).map((each) => each.agreementId)).toEqual([
        agreementId,
        'urn:agreement:late',
        id,
        'urn:agreement:states',
      ]);
    });

    it('cannot be revoked by a client that may only read', async () => {
      const base = `/v1/operator/enterprises/${taxCodes[0]}/clients`;
      const { json } = await server.call('POST', base, { as: operatorToken, body: { name: 'web', scopes: ['reports:read'] } });
      const reader = await tokenOf(server.call, String(json.clientId), String(json.clientSecret));
      expect((await server.call('GET', '/v1/agreements', { as: reader })).status).toBe(200);
      expect((await revoke(agreementId, reader)).status).toBe(403);
    });
  });

  describe('a version of the policy', () => {
    const policyId = 'urn:policy:0999999983:nm-01:forks';
    const digest = (char: string): Sharing['policyDigest'] => `sha-256:${char.repeat(64)}`;
    const fork = [422, 'E112 /sharing/policyDigest'];

    it('has the digest that its first accepted report had; versions may come in any order', async () => {
      const version = (policyVersion: number, char: string): ProductionReport =>
        under({ policyId, policyVersion, policyDigest: digest(char) });
      expect(await fate(version(2, 'b'))).toEqual([201]);
      expect(await fate(version(2, 'c'))).toEqual(fork);
      expect((await validate(version(2, 'c'))).status).toBe(422);
      expect((await validate(version(5, 'c'))).status).toBe(200);
      expect(await fate(version(5, 'd'))).toEqual([201]);
      expect(await fate(version(1, 'a'))).toEqual([201]);
      expect(await fate(version(2, 'b'))).toEqual([201]);
    });

    it('forks within one batch as well; what is refused binds nothing', async () => {
      const version = (policyVersion: number, char: string, more: Partial<SampleOptions> = {}): ProductionReport =>
        under({ policyId, policyVersion, policyDigest: digest(char) }, more);
      const gap = version(9, 'a', { revision: 3, supersedes: signedSample(options(), factory.key) });
      const batch = [gap, version(9, 'e'), version(9, 'f'), version(9, 'e')].map((each) => reportBytes(each).toString());
      const { json } = await server.call('POST', '/v1/reports', { as: factory.token, body: `[${batch.join(',')}]` });
      expect((json.results as { status: number }[]).map(({ status }) => status)).toEqual([409, 201, 422, 201]);
    });

    it('is its own for each enterprise, and a fork keeps no place in the series', async () => {
      const theirs = sampleReport({ enterpriseId: other.enterpriseId, establishmentId: 'nm-01', day: day++ });
      const sharing = { ...theirs.sharing, policyId, policyVersion: 2, policyDigest: digest('9') };
      expect((await send(signReport({ ...theirs, sharing }, other.key), other.token)).status).toBe(201);
      const at = day;
      expect(await fate(under({ policyId, policyVersion: 2, policyDigest: digest('8') }))).toEqual(fork);
      expect(await fate(under({ policyId, policyVersion: 2, policyDigest: digest('b') }, { day: at }))).toEqual([201]);
    });
  });

  describe('W201', () => {
    const warnings = async (report: ProductionReport): Promise<readonly string[]> => {
      const { status, json } = await send(report);
      expect(status).toBe(201);
      return (json as unknown as Receipt).warnings.map(({ code, pointer }) => `${code} ${pointer}`);
    };
    const produced = ['W201 /production/output/0/produced'];
    /** More than 26 weeks behind everything else of this file. */
    const firstDay = 252;
    /** Reports of one weekday. */
    const weekday = (week: number, produced: number, more: Partial<SampleOptions> = {}): ProductionReport =>
      signedSample(options({ day: firstDay + week * 7, produced, ...more }), factory.key);

    it('asks about a jump against eight of the same weekday, newest revisions only, and keeps the answer in the receipt', async () => {
      const weeks = Array.from({ length: 8 }, (_, week) => weekday(week, week === 3 ? 90_000 : 1000 + week));
      for (const [i, report] of weeks.entries()) {
        if (i === 7) expect(await warnings(weekday(20, 50_000, { day: firstDay + 7 * 7 + 1 }))).toEqual([]);
        expect(await warnings(report)).toEqual([]);
      }
      const jump = weekday(8, 1200);
      const asked = (await validate(jump)).json.findings as { code: string; severity: string; message: { vi: string } }[];
      expect(asked).toMatchObject([{ code: 'W201', severity: 'warning', message: { vi: expect.stringContaining('8 kỳ trước') } }]);
      const first = await send(jump);
      expect((first.json as unknown as Receipt).warnings).toEqual([{ code: 'W201', pointer: '/production/output/0/produced' }]);
      expect((await send(jump)).bytes).toEqual(first.bytes);
      const list = (await server.call('GET', '/v1/reports?limit=1', { as: factory.token })).json.reports as object[];
      expect(list[0]).toMatchObject({ digest: digestOf(jump), warnings: 1 });

      // Six of the weeks are corrected: the level is another one.
      for (const [week, report] of weeks.slice(2).entries())
        await send(weekday(week + 2, 1190 + week, { revision: 2, supersedes: report }));
      expect(await warnings(weekday(8, 1201, { revision: 2, supersedes: jump }))).toEqual([]);
      expect(await warnings(weekday(9, 2500))).toEqual(produced);
    });

    it('does not count what comes later, nor what was withdrawn', async () => {
      const start = firstDay + 3;
      const jumpAt = (day: number): ProductionReport => signedSample(options({ day, produced: 5000 }), factory.key);
      const asked = async (day: number): Promise<number> => ((await validate(jumpAt(day))).json.findings as unknown[]).length;
      const weeks = Array.from({ length: 8 }, (_, week) => signedSample(options({ day: start + week * 7 }), factory.key));
      for (const report of weeks) await send(report);
      expect([await asked(start - 7), await asked(start + 8 * 7)]).toEqual([0, 1]);
      const [, second] = weeks as [ProductionReport, ProductionReport];
      const change = { production: { output: [] }, energy: [], status: 'withdrawn', revisionReason: 'withdrawal' } as const;
      expect(await fate(under({}, { day: start + 7, revision: 2, supersedes: second }, change))).toEqual([201]);
      expect(await asked(start + 8 * 7)).toBe(0);
    });

    it('sees the earlier periods that come in the same batch', async () => {
      const start = firstDay + 5;
      const weeks = Array.from({ length: 9 }, (_, week) =>
        signedSample(options({ day: start + week * 7, produced: week === 8 ? 5000 : 1000 }), factory.key),
      );
      const { json } = await server.call('POST', '/v1/reports', {
        as: factory.token,
        body: `[${weeks.map((each) => reportBytes(each)).join(',')}]`,
      });
      const results = json.results as { receipt: Receipt }[];
      expect(results.map(({ receipt }) => receipt.warnings.map(({ code }) => code))).toEqual([
        ...Array.from({ length: 8 }, () => []),
        ['W201'],
      ]);
    });

    it('reads reports that were stored before amounts were kept', async () => {
      await database().query('UPDATE report SET amounts = NULL');
      expect(await warnings(weekday(10, 60_000))).toEqual(produced);
    });
  });
});
