import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Authority, type IssuedCertificate, makeAuthority } from '../../test/harness/authority.ts';
import { adminPassword, eventually, type Rig, startRig } from '../testing/rig.ts';

let folder: string;
let authority: Authority;
let shown: IssuedCertificate;
let rig: Rig;
let url: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-live-tls-'));
  authority = makeAuthority(folder);
  shown = authority.issue('board', 'server');
  const { certFile, keyFile } = shown;
  rig = await startRig({ config: { tls: { port: 0, certFile, keyFile } } });
  url = `https://127.0.0.1:${rig.tlsPort}`;
});
afterAll(async () => {
  await rig?.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(
  path: string,
  { ca = authority.ca, body, cookie }: { readonly ca?: string; readonly body?: object; readonly cookie?: string } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(cookie === undefined ? {} : { cookie }) };
    const asking = request(`${url}${path}`, { ca, agent: false, method: body === undefined ? 'GET' : 'POST', headers }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve({ status: answer.statusCode, headers: answer.headers, body: text });
    });
    asking.on('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const login = () => ask('/api/v1/session', { body: { username: 'admin', password: adminPassword } });

describe('the board over TLS', () => {
  it('is the same server: what needs a login needs one, and the cookie goes over TLS only', async () => {
    expect((await ask('/api/v1/machines')).status).toBe(401);
    const { status, headers } = await login();
    expect(status).toBe(200);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(cookie).toContain('; Secure');
    expect((await ask('/api/v1/machines', { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
    const plain = await fetch(`${rig.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: adminPassword }),
    });
    expect(plain.headers.getSetCookie()[0]).not.toContain('Secure');
  });

  it('carries live frames by WebSocket', async () => {
    const { headers } = await login();
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, ca: authority.ca, extraHeaders: { cookie } });
    try {
      const frames: unknown[] = [];
      socket.onAny((_event, frame) => frames.push(frame));
      await eventually(() => frames.length > 0 || undefined);
    } finally {
      socket.close();
    }
  });

  it('refuses a page of somebody else, and takes a renewed certificate while it runs', async () => {
    await expect(ask('/', { ca: makeAuthority(join(folder, 'stranger')).ca })).rejects.toThrow(/certificate/);
    const other = makeAuthority(join(folder, 'other'));
    const renewed = other.issue('renewed', 'server');
    writeFileSync(shown.certFile, renewed.cert);
    writeFileSync(shown.keyFile, renewed.key);
    await vi.waitFor(async () => expect((await ask('/api/v1/session', { ca: other.ca })).status).toBe(200), { timeout: 15_000 });
  });
});

it('says which file is not good and which port is taken', async () => {
  const { certFile, keyFile } = authority.issue('second', 'server');
  await expect(startRig({ config: { tls: { port: 0, certFile: join(folder, 'none.pem'), keyFile } } })).rejects.toThrow(
    /live\.tls\.certFile/,
  );
  await expect(startRig({ config: { tls: { port: rig.tlsPort ?? 0, certFile, keyFile } } })).rejects.toThrow(/live\.tls\.port/);
});
