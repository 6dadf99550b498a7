import { reportBytes } from '../../contract/digest.ts';
import { generateKey, jwkOf, kidOf, type SigningKey } from '../../contract/keys.ts';
import type { ProductionReport } from '../../contract/report.ts';
import { signDetached } from '../../contract/signature.ts';

/** A factory that is enrolled at a sector server and speaks to it over HTTP. Its address may change when the server starts again. */
export interface HttpFactory {
  readonly key: SigningKey;
  readonly enterpriseId: string;
  /** Asks for a token; the server may have forgotten it. */
  login(base: string): Promise<string>;
}

/** Registers an enterprise and enrols a key for it. */
export async function enrolOver(
  base: string,
  operatorToken: string,
  enterpriseId: string,
  establishmentIds: readonly string[],
): Promise<HttpFactory> {
  const operator = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' };
  const url = `${base}/v1/operator/enterprises/${enterpriseId}`;
  const establishments = establishmentIds.map((establishmentId) => ({ establishmentId, name: 'Nhà máy' }));
  await send(url, 'PUT', operator, JSON.stringify({ name: 'Công ty', establishments }));
  const { code } = await send(`${url}/enrolment-codes`, 'POST', operator, JSON.stringify({ keyValidFrom: '2025-12-01T00:00:00Z' }));
  const { privateKey, publicKey } = generateKey();
  const kid = kidOf(enterpriseId, 'k1');
  const { kty, crv, x } = jwkOf(kid, publicKey);
  const signed = { code, keyName: 'k1', publicKey: { kty, crv, x } };
  const body = JSON.stringify({ ...signed, signature: signDetached(signed, { kid, privateKey }) });
  const client = await send(`${base}/v1/enrolment`, 'POST', { 'content-type': 'application/json' }, body);
  return {
    key: { kid, privateKey },
    enterpriseId,
    async login(at) {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: client.clientId ?? '',
        client_secret: client.clientSecret ?? '',
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await send(`${at}/oauth/token`, 'POST', headers, form.toString())).access_token ?? '';
    },
  };
}

/** Sends a report; resolves with status and body, rejects when the server goes away. */
export async function postReport(
  base: string,
  token: string,
  report: ProductionReport,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${base}/v1/reports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: reportBytes(report),
  });
  return { status: response.status, text: await response.text() };
}

async function send(url: string, method: string, headers: Record<string, string>, body: string): Promise<Record<string, string>> {
  const response = await fetch(url, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
}
