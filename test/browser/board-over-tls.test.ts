import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Authority, type IssuedCertificate, makeAuthority } from '../harness/authority.ts';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import { hasNginx, type Nginx, startNginx } from '../harness/nginx.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { machineConnection, type SettablePlc, startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';

const phone = { viewport: { width: 390, height: 844 }, ignoreHTTPSErrors: true };

let data: DataFolder;
let plc: SettablePlc;
let server: Process;
let agent: Process;
let browser: Browser;
let authority: Authority;
let issued: IssuedCertificate;
let start: (pinned: { readonly http?: number; readonly mqtt?: number }) => Process;
let ports: Readonly<Record<string, number>>;

/** Logs in as a person does, then follows a machine that changes. */
async function lookAtTheBoard(url: string, { stays = false } = {}): Promise<Page> {
  plc.set(0, 1);
  const { page, problems } = await openPage(browser, url, phone);
  if (stays) await page.getByLabel('Giữ đăng nhập trên thiết bị này').check();
  await page.locator('input[name=username], input[autocomplete=username]').fill('admin');
  await page.locator('input[type=password]').fill('test-admin-password');
  await page.keyboard.press('Enter');
  const tile = page.locator('a.tile', { hasText: 'Máy thử' });
  await until('the machine runs', async () => (await tile.innerText()).includes('Đang chạy'));
  plc.set(0, 3);
  await until('its fault is there without a reload', async () => (await tile.innerText()).includes('Sự cố'));
  // The question who is logged in is answered by 200; nothing else may go wrong.
  expect(problems).toEqual([]);
  return page;
}

describe.skipIf(!hasChromium)('the board over TLS in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    const files = join(data.path, 'tls');
    authority = makeAuthority(files);
    issued = authority.issue('board', 'server');
    const live = {
      tls: { port: 0, certFile: 'board.pem', keyFile: 'board.key' },
      trustedProxies: ['127.0.0.1'],
    };
    const config = join(files, 'server.yaml');
    writeFileSync(config, stringify({ live }));
    plc = await startSettablePlc();
    start = (pinned) => startServer(data, pinned, ['--demo', '--config', config]);
    server = start({});
    ports = (await server.ready) as typeof ports;
    agent = (await prepareEdge(data, 'e', ports.mqtt ?? 0, [machineConnection(plc.port)])).start();
    await agent.ready;
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await agent?.stop();
    await server?.stop();
    await plc?.close();
    data?.remove();
  });

  it('stays logged in on a device that asked for it, also when the server was started again', async () => {
    const page = await lookAtTheBoard(`http://127.0.0.1:${ports.http}`, { stays: true });
    await server.stop();
    server = start({ http: ports.http ?? 0, mqtt: ports.mqtt ?? 0 });
    ports = (await server.ready) as typeof ports;
    await page.reload();
    const tile = page.locator('a.tile', { hasText: 'Máy thử' });
    await until('the machine is there without a login', () => tile.isVisible());
    plc.set(0, 1);
    await until('it runs', async () => (await tile.innerText()).includes('Đang chạy'), 30_000);
    await page.context().close();
  });

  it('logs a lost device out from another one', async () => {
    const lost = await lookAtTheBoard(`http://127.0.0.1:${ports.http}`, { stays: true });
    const desk = await lookAtTheBoard(`http://127.0.0.1:${ports.http}`);
    await desk.getByLabel('Tùy chọn').click();
    await desk.getByRole('button', { name: 'Đăng xuất mọi thiết bị' }).click();
    await desk.getByRole('dialog').getByRole('button', { name: 'Đăng xuất mọi thiết bị' }).click();
    await lost.reload();
    for (const page of [desk, lost]) await page.locator('input[type=password]').waitFor();
    await lost.context().close();
    await desk.context().close();
  });

  it('asks for a login, shows the plant live on a phone, and its cookie goes over TLS only', async () => {
    const page = await lookAtTheBoard(`https://127.0.0.1:${ports.https}`);
    const cookies = await page.context().cookies();
    expect(cookies).toEqual([expect.objectContaining({ name: 'nhip_session', secure: true, httpOnly: true })]);
    await page.context().close();
  });

  describe.skipIf(!hasNginx)('behind nginx with packaging/nginx/nhip.conf (needs Debian package nginx-light)', () => {
    let nginx: Nginx;
    beforeAll(async () => {
      nginx = await startNginx(join(data.path, 'nginx'), ports.http ?? 0, issued);
      await until('nginx answers', () => login('127.0.0.9', 'wrong').then((status) => status === 401));
    });
    afterAll(async () => nginx?.stop());

    /** A login through nginx, by a visitor with an address of its own. */
    function login(localAddress: string, password: string): Promise<number | undefined> {
      return new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/json', host: `127.0.0.1:${nginx.port}` };
        const to = { host: '127.0.0.1', port: nginx.port, path: '/api/v1/session', method: 'POST', localAddress, headers };
        request({ ...to, agent: false, ca: authority.ca }, (answer) => resolve(answer.resume().statusCode))
          .on('error', reject)
          .end(JSON.stringify({ username: 'admin', password }));
      });
    }

    it('shows the plant live, with a login though the demo lets viewers of this computer in', async () => {
      const page = await lookAtTheBoard(`https://127.0.0.1:${nginx.port}`);
      const cookies = await page.context().cookies();
      expect(cookies).toEqual([expect.objectContaining({ name: 'nhip_session', secure: true })]);
      await page.context().close();
    });

    it('makes who guesses passwords wait, and nobody else', async () => {
      const guesses: (number | undefined)[] = [];
      for (let i = 0; i < 8; i++) guesses.push(await login('127.0.0.7', `guess ${i}`));
      expect(guesses.at(0)).toBe(401);
      expect(guesses.at(-1)).toBe(429);
      expect(await login('127.0.0.8', 'test-admin-password')).toBe(200);
    });
  });
});
