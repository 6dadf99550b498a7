import { beforeAll, describe, expect, it } from 'vitest';
import { digestOf, reportBytes as sampleBytesOf } from '../contract/digest.ts';
import { jwkOf, publicKeyFromJwk } from '../contract/keys.ts';
import { verifyConsistency, verifyInclusion } from '../contract/merkle.ts';
import { hashOfText, type Receipt, verifyReceipt } from '../contract/receipt.ts';
import { seriesKeyOf } from '../contract/report.ts';
import { verifyDetached } from '../contract/signature.ts';
import { describeEachDatabase } from './testing/each-database.ts';
import { sampleBytes, signedSample } from './testing/sample-report.ts';
import { createTestPlatform, type TestFactory, type TestPlatform, taxCodes } from './testing/test-platform.ts';

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

  const options = (more: object = {}) => ({ enterpriseId: factory.enterpriseId, establishmentId: 'nm-01', day: day++, ...more });
  const send = (body: Buffer | string, as = factory.token) => server.call('POST', '/v1/reports', { as, body });
  const get = (url: string, as = factory.token) => server.call('GET', url, { as });
  const platformKey = () => publicKeyFromJwk(jwkOf(server.key.kid, server.key.privateKey));

  describe('intake', () => {
    it('answers a report with a receipt that proves itself, and the same bytes with the same receipt', async () => {
      const report = signedSample(options(), factory.key);
      const first = await send(Buffer.from(sampleBytesOf(report)));
      expect(first.status).toBe(201);
      const receipt = first.json as unknown as Receipt;
      expect(verifyReceipt(receipt, report, platformKey())).toEqual({ ok: true });
      for (let i = 0; i < 3; i++) {
        const again = await send(Buffer.from(sampleBytesOf(report)));
        expect([again.status, again.bytes]).toEqual([200, first.bytes]);
      }
      expect((await get(`/v1/reports/${report.reportId}`)).bytes).toEqual(Buffer.from(sampleBytesOf(report)));
      expect((await get(`/v1/reports/${report.reportId}/receipt`)).bytes).toEqual(first.bytes);
    });

    it('refuses a report of which any one byte was changed', async () => {
      const bytes = sampleBytes(options(), factory.key);
      const before = await reportsHeld();
      for (let at = 0; at < bytes.length; at += 37) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        const answer = await send(changed);
        expect([403, 422], `byte ${at}: ${answer.bytes}`).toContain(answer.status);
      }
      expect(await reportsHeld()).toBe(before);
      expect((await send(bytes)).status).toBe(201);
    });

    it('takes only the canonical form: nothing is stored that differs from what was sent', async () => {
      const text = sampleBytes(options(), factory.key).toString();
      const others = [`${text} `, text.replace('{', '{ '), text.replace('"revision":1', '"revision":1,"revision":1'), `\ufeff${text}`];
      for (const other of others) expect((await send(other)).json.type).toBe('urn:vn:sector:problem:SCHEMA');
      expect((await send(text)).status).toBe(201);
    });

    it('keeps revisions in order: forks and gaps are refused with what is held', async () => {
      const first = signedSample(options(), factory.key);
      const same = { ...options(), day: day - 2 };
      const second = signedSample({ ...same, revision: 2, produced: 1100, supersedes: first }, factory.key);
      const fork = signedSample({ ...same, revision: 2, produced: 1200, supersedes: first }, factory.key);
      const third = signedSample({ ...same, revision: 3, produced: 1300, supersedes: second }, factory.key);
      const stray = signedSample({ ...same, revision: 3, produced: 1300, supersedes: fork }, factory.key);
      const problem = async (report: typeof first) => {
        const { status, json } = await send(sampleBytesOf(report));
        return [status, json.type, json.held];
      };
      expect(seriesKeyOf(second)).toBe(seriesKeyOf(first));
      expect(await problem(second)).toEqual([409, 'urn:vn:sector:problem:E115', null]);
      expect((await send(sampleBytesOf(first))).status).toBe(201);
      expect(await problem(third)).toEqual([409, 'urn:vn:sector:problem:E115', { revision: 1, digest: digestOf(first) }]);
      expect((await send(sampleBytesOf(second))).status).toBe(201);
      expect(await problem(fork)).toEqual([409, 'urn:vn:sector:problem:E114', { revision: 2, digest: digestOf(second) }]);
      expect(await problem(stray)).toEqual([409, 'urn:vn:sector:problem:E114', { revision: 2, digest: digestOf(second) }]);
      expect((await send(sampleBytesOf(third))).status).toBe(201);
      expect((await send(sampleBytesOf(first))).status).toBe(200);
    });

    it('judges each report of a batch alone, those of one series in their order', async () => {
      const first = signedSample(options(), factory.key);
      const second = signedSample({ ...options(), day: day - 2, revision: 2, supersedes: first }, factory.key);
      const bad = sampleBytes(options(), factory.key).toString().replace('"idle":5400', '"idle":5401');
      const items = [sampleBytesOf(first), sampleBytesOf(second), bad, '1.5', sampleBytesOf(first)];
      const { status, json } = await send(`[${items.join(', ')}]`);
      const { results } = json as unknown as { results: { status: number; receipt?: Receipt; problem?: { errors: unknown[] } }[] };
      expect([status, results.map((each) => each.status)]).toEqual([207, [201, 201, 422, 422, 200]]);
      expect(results[4]?.receipt).toEqual(results[0]?.receipt);
      expect(results[2]?.problem?.errors).toContainEqual(
        expect.objectContaining({ code: 'E101', message: { vi: expect.any(String), en: expect.any(String) } }),
      );
      const many = Array.from({ length: 501 }, () => '1').join(',');
      expect((await send(`[${many}]`)).status).toBe(413);
    });

    it('validates without storing, and keeps refused reports for their sender only', async () => {
      const bad = sampleBytes(options(), factory.key).toString().replace('"fault":3600', '"fault":3601');
      const validate = (body: string) => server.call('POST', '/v1/reports:validate', { as: factory.token, body });
      const before = await reportsHeld();
      expect((await validate(bad)).status).toBe(422);
      expect((await validate(sampleBytes(options(), factory.key).toString())).json).toEqual({ valid: true, findings: [] });
      expect(await reportsHeld()).toBe(before);
      await send(bad);
      await send(bad);
      const refused = (await get('/v1/me/refused')).json.refused as { times: number; findings: { code: string }[] }[];
      expect(refused[0]).toMatchObject({ times: 2, findings: expect.arrayContaining([expect.objectContaining({ code: 'E101' })]) });
      expect((await get('/v1/me/refused', other.token)).json).toEqual({ refused: [] });
    });

    it('accepts with warnings, and the receipt says which', async () => {
      const { json, status } = await send(sampleBytes(options({ produced: 1000, lowCoverage: true }), factory.key));
      expect([status, json.warnings]).toEqual([201, [{ code: 'W205', pointer: expect.any(String) }]]);
    });

    it('takes nothing in the name of another, of an unknown plant, or by a revoked key, whose old reports stay good', async () => {
      expect((await send(sampleBytes(options(), factory.key), other.token)).status).toBe(403);
      expect((await send(sampleBytes(options({ establishmentId: 'nm-99' }), factory.key))).json.type).toBe('urn:vn:sector:problem:E108');
      const third = await server.enrol(taxCodes[2]);
      const mine = { enterpriseId: third.enterpriseId };
      const old = sampleBytes(options(mine), third.key);
      const before = await send(old, third.token);
      expect(before.status).toBe(201);
      server.advanceMs(1000);
      const revoked = await server.call('DELETE', `/v1/operator/enterprises/${third.enterpriseId}/keys/k1`, { as: 'nhipo_of-the-tests' });
      expect(revoked.status).toBe(204);
      expect((await send(sampleBytes(options(mine), third.key), third.token)).json.type).toBe('urn:vn:sector:problem:E111');
      const again = await send(old, third.token);
      expect([again.status, again.bytes]).toEqual([200, before.bytes]);
    });
  });

  describe('time', () => {
    it('tells at any moment what was known then', async () => {
      const first = signedSample(options(), factory.key);
      const again = { ...options(), day: day - 2 };
      const second = signedSample({ ...again, revision: 2, produced: 1100, supersedes: first }, factory.key);
      const third = signedSample({ ...again, revision: 3, produced: 1200, supersedes: second }, factory.key);
      const moments: string[] = [];
      for (const report of [first, second, third]) {
        const { json } = await send(sampleBytesOf(report));
        moments.push(String(json.acceptedAt));
        server.advanceMs(60_000);
      }
      const series = `/v1/series/${encodeURIComponent(seriesKeyOf(first))}/reports`;
      const revisions = async (asOf?: string) =>
        ((await get(`${series}${asOf === undefined ? '' : `?asOf=${asOf}`}`)).json.reports as { revision: number }[]).map(
          ({ revision }) => revision,
        );
      expect(await revisions()).toEqual([1, 2, 3]);
      for (const [i, at] of moments.entries()) {
        expect(await revisions(at)).toEqual([i + 1]);
        expect(await revisions(new Date(Date.parse(at) - 1).toISOString())).toEqual(i === 0 ? [] : [i]);
        const listed = (await get(`/v1/reports?asOf=${at}&limit=1`)).json.reports as { digest: string }[];
        expect(listed[0]?.digest).toBe(digestOf([first, second, third][i]));
      }
    });
  });

  it('gives every commit a later moment, also when the clock goes back', async () => {
    const moments: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { json } = await send(sampleBytes(options(), factory.key));
      moments.push(Date.parse(String(json.acceptedAt)));
      server.advanceMs(-10_000);
    }
    server.advanceMs(30_000);
    expect(new Set(moments).size).toBe(3);
    expect(moments.toSorted((a, b) => a - b)).toEqual(moments);
  });

  describe('log', () => {
    it('has every receipt, proves growth, and signs its head', async () => {
      const head = async () => (await server.call('GET', '/v1/log/sth')).json as unknown as Head;
      const before = await head();
      const receipts: Receipt[] = [];
      for (let i = 0; i < 5; i++) receipts.push((await send(sampleBytes(options(), factory.key))).json as unknown as Receipt);
      const after = await head();
      const { signature, ...signed } = after;
      expect(verifyDetached(signed, signature, platformKey())).toEqual({ ok: true });
      expect(after.treeSize).toBe(before.treeSize + 5);
      const { json: grown } = await server.call('GET', `/v1/log/proof?first=${before.treeSize}`);
      const proof = (grown.proof as string[]).map(hashOfText);
      const [firstRoot, secondRoot] = [hashOfText(before.rootHash), hashOfText(after.rootHash)];
      expect(verifyConsistency(before.treeSize, after.treeSize, firstRoot, secondRoot, proof)).toBe(true);
      for (const { log } of receipts) {
        const { json } = await server.call('GET', `/v1/log/proof?leaf=${log.leafIndex}`);
        const path = (json.proof as string[]).map(hashOfText);
        expect(verifyInclusion(hashOfText(String(json.leafHash)), log.leafIndex, after.treeSize, path, secondRoot)).toBe(true);
      }
      expect((await server.call('GET', '/v1/log/keys')).json).toEqual({ keys: [jwkOf(server.key.kid, server.key.privateKey)] });
      for (const query of ['leaf=99999', 'first=3&second=2', 'first=1&leaf=1', '', 'leaf=-1', 'leaf=1e3']) {
        expect((await server.call('GET', `/v1/log/proof?${query}`)).status, query).toBe(400);
      }
    });
  });

  async function reportsHeld(): Promise<unknown> {
    return (await server.call('GET', '/v1/log/sth')).json.treeSize;
  }
});

interface Head extends Readonly<Record<string, unknown>> {
  readonly treeSize: number;
  readonly rootHash: string;
  readonly signature: Receipt['signature'];
}
