import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { generateKey, jwkOf, kidOf, type SigningKey } from '../../contract/keys.ts';
import { signDetached } from '../../contract/signature.ts';
import { platformConfig } from '../config.ts';
import type { Database } from '../database.ts';
import { migrate } from '../migrations/migrate.ts';
import { createPlatform, type Platform } from '../platform.ts';
import { keepPlatformKey } from '../store/platform-keys.ts';

export const operatorToken = 'nhipo_of-the-tests';

/** Tax codes with a good check digit. */
export const taxCodes = ['0999999983', '0100109106', '0300588569'] as const;

/** A client of an enterprise as its factory has it. */
export interface TestFactory {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  readonly key: SigningKey;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: string;
}

export interface TestPlatform {
  readonly platform: Platform;
  readonly key: SigningKey;
  /** Requests without a socket. `as`: a Bearer token. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, options?: CallOptions): Promise<Answered>;
  /** Registers an enterprise and enrols a key by the API, as an operator and a factory do. */
  enrol(enterpriseId: string, establishmentId?: string): Promise<TestFactory>;
  /** Records an agreement of an enterprise about reports, for every purpose that test policies have, from 2025 on. */
  agree(enterpriseId: string, agreementId?: string): Promise<void>;
  advanceMs(ms: number): void;
}

export interface CallOptions {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
  /** The body as JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** A platform on a database, not listening. Its clock stands at `nowMs` and moves by `advanceMs`; timers are real. */
export async function createTestPlatform(database: Database, nowMs = Date.parse('2027-06-01T00:00:00Z')): Promise<TestPlatform> {
  const real = createNodeClock();
  const wall = createSimClock(nowMs);
  let offsetMs = 0;
  const clock = { ...real, now: () => wall.now() + offsetMs };
  const key: SigningKey = { kid: kidOf('sector', 'test'), privateKey: generateKey().privateKey };
  const config = platformConfig.parse({ groupCommit: { lingerMs: 1 } });
  await migrate(database);
  await keepPlatformKey(database, jwkOf(key.kid, key.privateKey), nowMs);
  const platform = createPlatform(config, { database, clock, log: silentLog(), key, operatorToken, version: '0.0.0' });

  const call: TestPlatform['call'] = async (method, url, { as, body, headers = {} } = {}) => {
    const isPlain = body === undefined || Buffer.isBuffer(body) || typeof body === 'string';
    const response = await platform.app.inject({
      method,
      url,
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isPlain ? (body as Buffer | string) : JSON.stringify(body) }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      bytes: response.rawPayload,
      get json() {
        return response.json();
      },
    };
  };

  return {
    platform,
    key,
    call,
    advanceMs: (ms) => {
      offsetMs += ms;
    },
    async agree(enterpriseId, agreementId = 'urn:agreement:2026-0012') {
      const url = `/v1/operator/enterprises/${enterpriseId}/agreements/${encodeURIComponent(agreementId)}`;
      const purposes = ['sector_statistics', 'energy_efficiency', 'benchmark_return'];
      const body = { products: ['vn.sector.production-report'], purposes, validFrom: '2025-01-01T00:00:00+07:00' };
      const { status, bytes } = await call('PUT', url, { as: operatorToken, body });
      if (status !== 201) throw new Error(`agreement: ${bytes}`);
    },
    async enrol(enterpriseId, establishmentId = 'nm-01') {
      const base = `/v1/operator/enterprises/${enterpriseId}`;
      const establishments = [{ establishmentId, name: 'Nhà máy 1' }];
      await call('PUT', base, { as: operatorToken, body: { name: 'Công ty mẫu', establishments } });
      const { json } = await call('POST', `${base}/enrolment-codes`, {
        as: operatorToken,
        body: { keyValidFrom: '2025-12-01T00:00:00Z' },
      });
      const { privateKey, publicKey } = generateKey();
      const kid = kidOf(enterpriseId, 'k1');
      const { kty, crv, x } = jwkOf(kid, publicKey);
      const signed = { code: String(json.code), keyName: 'k1', publicKey: { kty, crv, x } };
      const enrolled = await call('POST', '/v1/enrolment', { body: { ...signed, signature: signDetached(signed, { kid, privateKey }) } });
      if (enrolled.status !== 201) throw new Error(`enrolment: ${enrolled.bytes}`);
      const { clientId, clientSecret } = enrolled.json as unknown as { clientId: string; clientSecret: string };
      const token = await tokenOf(call, clientId, clientSecret);
      return { enterpriseId, establishmentId, key: { kid, privateKey }, clientId, clientSecret, token };
    },
  };
}

/** A token by client credentials. */
export async function tokenOf(call: TestPlatform['call'], clientId: string, clientSecret: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret });
  const answered = await call('POST', '/oauth/token', {
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  if (answered.status !== 200) throw new Error(`token: ${answered.bytes}`);
  return String(answered.json.access_token);
}
