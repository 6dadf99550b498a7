import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { digestOf, reportBytes } from '@nhip/sector/contract/digest';
import { generateKey, kidOf, type SigningKey } from '@nhip/sector/contract/keys';
import { createAccessToken } from '@nhip/sector/gateway/adapters/access-token';
import type { TlsOptions } from '@nhip/sector/gateway/adapters/http-request';
import { createHttpsAdapter } from '@nhip/sector/gateway/adapters/https';
import { type Enrolled, enrol } from '@nhip/sector/gateway/enrol';
import { platformConfig } from '@nhip/sector/platform/config';
import { createPlatform, type Platform } from '@nhip/sector/platform/platform';
import { signedSample } from '@nhip/sector/platform/testing/sample-report';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import { operatorToken, taxCodes } from '@nhip/sector/platform/testing/test-platform';
import { readServerTls } from '@nhip/sector/platform/tls/server-tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, type IssuedCertificate, makeAuthority } from '../harness/authority.ts';

const alive = new AbortController().signal;
const [codeA, codeB] = taxCodes;
const clock = createNodeClock();
let folder: string;
let authority: Authority;
let foreign: Authority;
let certs: Record<'a' | 'b' | 'next' | 'expired' | 'foreign', IssuedCertificate>;
let database: TestDatabase;
let server: Platform;
let port = 0;
const platformKey: SigningKey = { kid: kidOf('sector', 'test'), privateKey: generateKey().privateKey };

async function start(mode: 'required' | 'optional'): Promise<void> {
  const { certFile, keyFile } = authority.issue('server', 'server');
  const tls = { certFile, keyFile, clientCaFile: authority.caFile, clientCertificate: mode };
  const config = platformConfig.parse({ host: '127.0.0.1', port: 0, tls });
  const deps = { database: database.database, clock, log: silentLog(), key: platformKey, operatorToken, version: '0.0.0' };
  server = createPlatform(config, { ...deps, tls: readServerTls(config) });
  port = await server.start();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-sector-tls-'));
  database = await openTestDatabase();
  authority = makeAuthority(join(folder, 'authority'));
  foreign = makeAuthority(join(folder, 'foreign'));
  certs = {
    a: authority.issue('a', 'client'),
    b: authority.issue('b', 'client'),
    next: authority.issue('next', 'client'),
    expired: authority.issue('expired', 'client', -1),
    foreign: foreign.issue('foreign', 'client'),
  };
  await start('required');
});
afterAll(async () => {
  await server.stop();
  await database.remove();
  rmSync(folder, { recursive: true, force: true });
});

const origin = (): string => `https://127.0.0.1:${port}`;
const over = (certificate?: IssuedCertificate): TlsOptions => ({ ca: authority.ca, ...certificate });

/** As the operator on the computer of the server. */
async function operator(
  method: 'PUT' | 'POST' | 'DELETE',
  url: string,
  body?: object,
): Promise<{ status: number; json(): Record<string, string> }> {
  const authorization = `Bearer ${operatorToken}`;
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
  const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await server.app.inject({ method, url, headers, ...payload });
  return { status: response.statusCode, json: () => response.json() };
}

interface Factory extends Enrolled {
  readonly key: SigningKey;
  readonly enterpriseId: string;
}

async function enrolled(enterpriseId: string, keyName: string, tls: TlsOptions): Promise<Factory> {
  const base = `/v1/operator/enterprises/${enterpriseId}`;
  await operator('PUT', base, { name: 'Công ty', establishments: [{ establishmentId: 'nm-01', name: 'Nhà máy' }] });
  const made = await operator('POST', `${base}/enrolment-codes`, { keyValidFrom: '2020-01-01T00:00:00Z' });
  const key = { kid: kidOf(enterpriseId, keyName), privateKey: generateKey().privateKey };
  const given = await enrol(`${origin()}/v1`, made.json().code ?? '', key, { tls, nowMs: clock.now(), signal: alive });
  return { ...given, key, enterpriseId };
}

function adapterOf({ clientId, clientSecret }: Factory, tls: TlsOptions, tokenTls = tls) {
  const secret = async (): Promise<string> => clientSecret;
  const token = createAccessToken({ url: new URL('/oauth/token', origin()), clientId, secret, tls: tokenTls, now: clock.now });
  return createHttpsAdapter({ url: new URL(`${origin()}/v1`), token, tls, now: clock.now });
}

let day = 0;
const send = (factory: Factory, tls: TlsOptions, tokenTls = tls) => {
  const { enterpriseId, key } = factory;
  const report = signedSample({ enterpriseId, establishmentId: 'nm-01', day: day++ % 28 }, key);
  const parcel = { id: 'x', seriesKey: 'x', revision: 1, digest: digestOf(report), bytes: reportBytes(report) };
  return adapterOf(factory, tls, tokenTls).send(parcel, alive);
};

/** A GET or POST by hand; resolves with status, cookie and text. */
function fetchOver(tls: TlsOptions, path: string, options: { readonly form?: Record<string, string>; readonly cookie?: string } = {}) {
  const { form, cookie } = options;
  return new Promise<{ status: number; cookie: string; text: string }>((resolve, reject) => {
    const headers = {
      ...(cookie === undefined ? {} : { cookie }),
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    const asked = request(
      `${origin()}${path}`,
      { ...tls, agent: false, method: form === undefined ? 'GET' : 'POST', headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, cookie: answer.headers['set-cookie']?.[0] ?? '', text });
        });
      },
    );
    asked.on('error', reject);
    asked.end(form === undefined ? undefined : new URLSearchParams(form).toString());
  });
}

describe('a server that needs client certificates', () => {
  let a: Factory;
  let b: Factory;
  beforeAll(async () => {
    a = await enrolled(codeA, 'k1', over(certs.a));
    b = await enrolled(codeB, 'k1', over(certs.b));
  });

  it('takes the reports of a client over the certificate with which it was enrolled', async () => {
    expect(await send(a, over(certs.a))).toMatchObject({ kind: 'receipt' });
    expect(await send(b, over(certs.b))).toMatchObject({ kind: 'receipt' });
  });

  it('refuses everything else, and says why', async () => {
    await expect(send(a, over())).rejects.toThrow(/401.*needs a client certificate/);
    await expect(send(a, over(certs.foreign))).rejects.toThrow(/401.*not accepted/);
    await expect(send(a, over(certs.expired))).rejects.toThrow(/401.*CERT_HAS_EXPIRED/);
    await expect(send(a, over(certs.b))).rejects.toThrow(/401.*not known as one of this client/);
    // A token goes with the certificate over which it was given.
    for (const stolenOver of [certs.b, certs.next, certs.foreign, undefined]) {
      await expect(send(a, over(stolenOver), over(certs.a))).rejects.toThrow(/401/);
    }
    const late = enrolled(codeA, 'k2', over());
    await expect(late).rejects.toThrow(/refused the enrolment \(401\)/);
  });

  it('is refused itself when its certificate is not of the authority that the factory trusts', async () => {
    await expect(send(a, { ...over(certs.a), ca: foreign.ca })).rejects.toMatchObject({ code: 'gateway.connection' });
    const { ca: _, ...withoutAuthority } = over(certs.a);
    await expect(send(a, withoutAuthority)).rejects.toMatchObject({ code: 'gateway.connection' });
  });

  it('takes a new certificate when the operator makes it known, and the old one until it is taken away', async () => {
    const place = (thumbprint: string) => `/v1/operator/enterprises/${codeA}/clients/${a.clientId}/certificates/${thumbprint}`;
    await expect(send(a, over(certs.next))).rejects.toThrow(/401/);
    expect((await operator('PUT', place(certs.b.thumbprint))).status).toBe(409);
    expect((await operator('PUT', place(certs.next.thumbprint))).status).toBe(204);
    expect(await send(a, over(certs.next))).toMatchObject({ kind: 'receipt' });
    expect(await send(a, over(certs.a))).toMatchObject({ kind: 'receipt' });
    expect((await operator('DELETE', place(certs.a.thumbprint))).status).toBe(204);
    expect((await operator('DELETE', place(certs.a.thumbprint))).status).toBe(404);
    await expect(send(a, over(certs.a))).rejects.toThrow(/401/);
    expect(await send(a, over(certs.next))).toMatchObject({ kind: 'receipt' });
  });

  it('shows the page over the same certificate only, and what is for everybody without one', async () => {
    const form = { clientId: b.clientId, clientSecret: b.clientSecret };
    expect((await fetchOver(over(), '/login', { form })).status).toBe(401);
    expect((await fetchOver(over(certs.next), '/login', { form })).status).toBe(401);
    const { status, cookie } = await fetchOver(over(certs.b), '/login', { form });
    expect([status, cookie]).toEqual([303, expect.stringContaining('; Secure')]);
    const session = { cookie: cookie.split(';')[0] ?? '' };
    expect((await fetchOver(over(certs.b), '/', session)).text).toContain('Báo cáo đã nhận');
    expect((await fetchOver(over(), '/', session)).text).toContain('Đăng nhập');
    for (const path of ['/health/ready', '/v1/openapi.json', '/v1/log/sth', '/']) expect((await fetchOver(over(), path)).status).toBe(200);
  });

  it('that asks of those only who have one lets others in by their secret, and nobody by a stolen one', async () => {
    await server.stop();
    await start('optional');
    const plain = await enrolled(codeA, 'k3', over());
    expect(await send(plain, over())).toMatchObject({ kind: 'receipt' });
    expect(await send(plain, over(certs.a))).toMatchObject({ kind: 'receipt' });
    await expect(send(plain, over(certs.expired))).rejects.toThrow(/401.*not accepted/);
    await expect(send(b, over())).rejects.toThrow(/401/);
    expect(await send(b, over(certs.b))).toMatchObject({ kind: 'receipt' });
    await server.stop();
    await start('required');
    await expect(send(plain, over(certs.a))).rejects.toThrow(/401/);
    const place = `/v1/operator/enterprises/${codeA}/clients/${plain.clientId}/certificates/${certs.a.thumbprint}`;
    expect((await operator('PUT', place)).status).toBe(204);
    expect(await send(plain, over(certs.a))).toMatchObject({ kind: 'receipt' });
  });
});
