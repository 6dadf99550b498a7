import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpClient } from './http-client.ts';

let server: Server | undefined;
let client: HttpClient | undefined;
afterEach(async () => {
  client?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});

/** One connection at a time to a server that answers the n-th request as told, the first one as usual: the others come on a kept connection. */
async function connected(answer: (count: number, request: IncomingMessage, response: ServerResponse) => void): Promise<HttpClient> {
  let count = 0;
  server = createServer((request, response) => {
    count++;
    if (count > 1) answer(count, request, response);
    else request.resume().once('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createHttpClient({ url, authorization: undefined, ca: undefined, maxSockets: 1 });
  await client.post('/first', 'a', limits);
  return client;
}

const limits = { timeoutMs: 10_000, contentType: 'text/plain' };
/** More than the system takes from us before the other side reads. */
const large = new Uint8Array(32_000_000);

describe('the HTTP client of stores', () => {
  it('does not take for stored what was not all sent when the answer came, nor sends it again by itself', async () => {
    const paths: string[] = [];
    const http = await connected((_, request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(204).end();
      if (request.url === '/large') response.once('finish', () => request.socket.resetAndDestroy());
    });
    await expect(http.post('/large', large, limits)).rejects.toMatchObject({ code: 'store.unanswered' });
    await http.post('/after', 'a', limits);
    expect(paths).toEqual(['/large', '/after']);
  });

  it('hands on a refusal that comes before all was sent', async () => {
    const http = await connected((_, __, response) => void response.writeHead(413, { connection: 'close' }).end('too large'));
    expect(await http.post('/large', large, limits)).toMatchObject({ status: 413, text: 'too large' });
  });

  it('sends a request again once when a kept connection breaks in the middle of the answer', async () => {
    const paths: string[] = [];
    const http = await connected((count, request, response) => {
      paths.push(request.url ?? '');
      if (count > 2) response.writeHead(204).end();
      else response.writeHead(500, { 'content-length': 100 }).write('half', () => request.socket.resetAndDestroy());
    });
    expect(await http.post('/broken', 'a', limits)).toMatchObject({ status: 204 });
    await http.post('/after', 'a', limits);
    expect(paths).toEqual(['/broken', '/broken', '/after']);
  });

  it('gives up an answer that comes too slowly', async () => {
    const http = await connected((_, __, response) => void response.writeHead(200).write('a'));
    await expect(http.get('/slow', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'store.unanswered' });
  });

  it('makes no connection after close: what is on the way fails', async () => {
    let isThere: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      isThere = resolve;
    });
    const http = await connected((count, _, response) => {
      if (count > 2) response.writeHead(204).end();
      isThere?.();
    });
    const query = http.get('/slow', limits);
    await Promise.all([expect(query).rejects.toMatchObject({ code: 'store.unanswered' }), arrived.then(() => http.close())]);
  });
});
