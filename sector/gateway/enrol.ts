import { PermanentError } from '@nhip/core/process/errors';
import { jwkOf, ownerOf, type SigningKey } from '../contract/keys.ts';
import { signDetached } from '../contract/signature.ts';
import { post, type TlsOptions } from './adapters/http-request.ts';
import { foreignObject } from './foreign-json.ts';

export interface Enrolled {
  readonly kid: string;
  readonly clientId: string;
  /** Told once: put it into a file of mode 0600. */
  readonly clientSecret: string;
  /** Public key of receipts as JWK; compare its text with what the operator tells you by another way. */
  readonly platformKey: object;
}

/**
 * Exchanges the operator's one-time code for a client: `POST <url>/enrolment`, signed with the plant's key as proof that we have it.
 * Throws PermanentError with the platform's words when it is refused, RetryableError when there is no answer.
 */
export async function enrol(
  url: string,
  code: string,
  key: SigningKey,
  { tls = {}, nowMs, signal }: { readonly tls?: TlsOptions; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Enrolled> {
  const { kty, crv, x } = jwkOf(key.kid, key.privateKey);
  const signed = { code, keyName: key.kid.slice(ownerOf(key.kid).length + 1), publicKey: { kty, crv, x } };
  const body = Buffer.from(JSON.stringify({ ...signed, signature: signDetached(signed, key) }), 'utf8');
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const answer = await post({ url: new URL(`${url.replace(/\/$/, '')}/enrolment`), headers, body, tls, signal }, nowMs);
  const json = foreignObject(answer.body) ?? {};
  if (answer.status !== 201) {
    const detail = typeof json.detail === 'string' ? json.detail.slice(0, 500) : '';
    throw new PermanentError('gateway.enrolment', `The platform refused the enrolment (${answer.status}). ${detail}`);
  }
  const { kid, clientId, clientSecret, platformKey } = json;
  const isWhole =
    typeof clientId === 'string' && typeof clientSecret === 'string' && typeof platformKey === 'object' && platformKey !== null;
  if (!isWhole || kid !== key.kid) {
    throw new PermanentError(
      'gateway.enrolment',
      `The platform enrolled ${String(kid)}, this plant signs as ${key.kid}: is the tax code right?`,
    );
  }
  return { kid: key.kid, clientId, clientSecret, platformKey };
}
