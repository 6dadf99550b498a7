import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { findServer } from './server-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'nhip-client-'));
afterAll(() => rmSync(folder, { recursive: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
let files = 0;

async function clientOf(answer: RequestListener) {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = findServer({ text: ((name: string) => (name === 'url' ? url : undefined)) as never }, folder, { NHIP_TOKEN: 'secret' });
  if (client === undefined) throw new Error('no client');
  return { client, file: join(folder, String(files++)) };
}

describe('a download', () => {
  it('is written as it comes, with the credentials of the environment', async () => {
    const { client, file } = await clientOf((request, response) => response.end(`${request.url} ${request.headers.authorization}`));
    expect(await client.download('/api/v1/export?x=1', file)).toBe(32);
    expect(readFileSync(file, 'utf8')).toBe('/api/v1/export?x=1 Bearer secret');
  });

  it('that is refused says what the server says', async () => {
    const { client, file } = await clientOf((_request, response) => response.writeHead(409).end('{"detail":"An export is under way."}'));
    await expect(client.download('/', file)).rejects.toMatchObject({
      code: 'cli.serverRefused',
      message: /409: An export is under way\.$/,
    });
  });

  it('that leads elsewhere is not followed', async () => {
    const { client, file } = await clientOf((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end());
    await expect(client.download('/', file)).rejects.toMatchObject({ code: 'cli.serverRefused' });
  });

  it('that breaks off is no file that looks whole', async () => {
    const { client, file } = await clientOf((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => response.destroy());
    });
    await expect(client.download('/', file)).rejects.toMatchObject({ code: 'cli.serverUnreachable', message: /broke off/ });
    // What is removed now stays away.
    rmSync(file);
  });

  it('of nobody says that nobody answers', async () => {
    const { client, file } = await clientOf((request) => request.socket.destroy());
    await expect(client.download('/', file)).rejects.toMatchObject({ code: 'cli.serverUnreachable', message: /does not answer/ });
  });
});
