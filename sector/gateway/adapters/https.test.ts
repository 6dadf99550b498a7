import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RetryableError } from '@nhip/core/process/errors';
import { describe, expect, it } from 'vitest';
import { adapterSuite, parcelOf } from '../testing/adapter-suite.ts';
import { createAccessToken } from './access-token.ts';
import { createHttpsAdapter } from './https.ts';

type Handler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

async function openBench(onReport: Handler = (_request, _body, response) => response.writeHead(201).end('{"receipt":1}')) {
  const bodies: Buffer[] = [];
  let tokens = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (request.url === '/oauth/token') {
        const isKnown = body.toString() === 'grant_type=client_credentials&client_id=c&client_secret=s';
        response.writeHead(isKnown ? 200 : 401).end(JSON.stringify({ access_token: `t${++tokens}`, expires_in: 900 }));
        return;
      }
      bodies.push(body);
      onReport(request, body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = createAccessToken({ url: new URL('/oauth/token', origin), clientId: 'c', secret: async () => 's', tls: {}, now: () => 0 });
  const adapter = createHttpsAdapter({ url: new URL(`${origin}/v1`), token, tls: {}, now: () => 0 });
  return {
    adapter,
    tokens: () => tokens,
    arrived: async () => bodies,
    close: async () => {
      await adapter.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

adapterSuite('https', openBench);

describe('the answers of a platform', () => {
  const alive = new AbortController().signal;
  const send = async (onReport: Handler) => {
    const bench = await openBench(onReport);
    try {
      return await bench.adapter.send(parcelOf('{"a":1}'), alive);
    } finally {
      await bench.close();
    }
  };
  const warning = { severity: 'warning', code: 'W205', pointer: '/coverage', message: { vi: 'Thiếu', en: 'Little' } };
  const problem = JSON.stringify({
    detail: 'no',
    errors: [warning, { code: 'E101', pointer: '/machines', message: { vi: 'Sai', en: 'Wrong' } }],
  });

  it('are a receipt, new or the first one again', async () => {
    expect(await send((_request, _body, response) => response.writeHead(201).end('{}'))).toMatchObject({
      kind: 'receipt',
      isRepeat: false,
    });
    expect(await send((_request, _body, response) => response.writeHead(200).end('{}'))).toMatchObject({ kind: 'receipt', isRepeat: true });
  });

  it.each([400, 403, 409, 413, 422])('refuse with the first error: %i', async (status) => {
    const refused = await send((_request, _body, response) => response.writeHead(status).end(problem));
    expect(refused).toEqual({ kind: 'refused', code: 'E101', pointer: '/machines', message: { vi: 'Sai', en: 'Wrong' } });
  });

  it('refuse in the words that there are, when the first error has none', async () => {
    const refused = await send((_request, _body, response) =>
      response.writeHead(422).end('{"detail":"no","errors":[{"severity":"error"}]}'),
    );
    expect(refused).toEqual({ kind: 'refused', code: '422', pointer: '', message: { vi: 'Bị từ chối: no', en: 'no' } });
  });

  it.each([301, 401, 403, 404, 429, 500, 503])('ask for another attempt: %i', async (status) => {
    const answered = send((_request, _body, response) => response.writeHead(status, { 'retry-after': '9' }).end('{}'));
    await expect(answered).rejects.toMatchObject({ code: 'gateway.answer', retryAfterMs: 9000 });
  });

  it('ask once more with a new token after 401', async () => {
    const bench = await openBench((request, _body, response) => {
      response.writeHead(request.headers.authorization === 'Bearer t2' ? 201 : 401).end('{}');
    });
    expect(await bench.adapter.send(parcelOf('{}'), alive)).toMatchObject({ kind: 'receipt' });
    expect(bench.tokens()).toBe(2);
    await bench.close();
  });

  it('are bounded, and count for nothing when they break off', async () => {
    await expect(send((_request, _body, response) => response.writeHead(201).end('x'.repeat(300_000)))).rejects.toThrow(RetryableError);
    await expect(
      send((_request, _body, response) => {
        response.writeHead(201, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      }),
    ).rejects.toThrow(RetryableError);
  });
});
