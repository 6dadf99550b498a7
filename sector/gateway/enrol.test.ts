import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { generateKey, jwkOf, kidOf, publicKeyFromJwk, type SigningKey } from '../contract/keys.ts';
import { verifyDetached } from '../contract/signature.ts';
import { enrol } from './enrol.ts';

const key: SigningKey = { kid: kidOf('0999999983', 'k1'), privateKey: generateKey().privateKey };
const platformKey = jwkOf('sector#1', generateKey().publicKey);
const good = { kid: key.kid, clientId: 'client-1', clientSecret: 'told once', platformKey };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Asked {
  readonly path: string | undefined;
  readonly method: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A platform that answers every request the same way; null: it hangs up. */
async function platform(status: number, answer: unknown): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({ path: request.url, method: request.method, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
      if (answer === null) return void response.destroy();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

const ask = (url: string) => enrol(url, 'CODE-1', key, { nowMs: 0, signal: AbortSignal.timeout(10_000) });

describe('enrolling', () => {
  it('proves that the plant has the key, and never sends its private half', async () => {
    const { url, asked } = await platform(201, good);
    expect(await ask(`${url}/`)).toEqual(good);
    const [{ path, method, body } = { path: '', method: '', body: {} }] = asked;
    expect([method, path, Object.keys(body).sort()]).toEqual(['POST', '/v1/enrolment', ['code', 'keyName', 'publicKey', 'signature']]);
    expect([body.code, body.keyName]).toEqual(['CODE-1', 'k1']);
    const { signature, ...signed } = body as { readonly signature: Parameters<typeof verifyDetached>[1]; readonly publicKey: object };
    expect(Object.keys(signed.publicKey).sort()).toEqual(['crv', 'kty', 'x']);
    expect(verifyDetached(signed, signature, publicKeyFromJwk(signed.publicKey as Parameters<typeof publicKeyFromJwk>[0]))).toEqual({
      ok: true,
    });
    expect(verifyDetached({ ...signed, code: 'CODE-2' }, signature, publicKeyFromJwk(signed.publicKey as never))).toMatchObject({
      ok: false,
    });
  });

  it('says in the words of the platform why it is refused, cut to a bearable length', async () => {
    const { url } = await platform(403, { detail: 'The code was used.' });
    await expect(ask(url)).rejects.toMatchObject({ name: 'PermanentError', message: expect.stringContaining('(403). The code was used.') });
    server?.close();
    const long = await platform(400, { detail: 'x'.repeat(5000) });
    await expect(ask(long.url)).rejects.toSatisfy((error) => (error as Error).message.length < 600);
  });

  it('takes no answer that is not whole, that is no JSON, or that names another plant', async () => {
    for (const answer of [{ ...good, clientSecret: undefined }, { ...good, platformKey: 'text' }, 'OK', [], 'null']) {
      const { url } = await platform(201, answer);
      await expect(ask(url)).rejects.toMatchObject({ name: 'PermanentError' });
      server?.close();
    }
    const { url } = await platform(201, { ...good, kid: kidOf('0100109106', 'k1') });
    await expect(ask(url)).rejects.toThrow('0100109106#k1, this plant signs as 0999999983#k1');
  });

  it('may be tried again when there is no answer', async () => {
    const { url } = await platform(0, null);
    await expect(ask(url)).rejects.toMatchObject({ name: 'RetryableError' });
    await expect(enrol(url, 'C', key, { nowMs: 0, signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });
});
