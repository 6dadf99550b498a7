import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { machineConnection, type SettablePlc, startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const tileOf = (page: Page) => page.locator('a.tile', { hasText: 'Máy thử' });

let data: DataFolder;
let plc: SettablePlc;
let server: Process;
let agent: Process;
let browser: Browser;
let url = '';
let ports = { http: 0, mqtt: 0 };

async function shows(page: Page, text: string | RegExp): Promise<void> {
  await until(`the tile shows ${text}`, async () => {
    const now = await tileOf(page).innerText();
    return typeof text === 'string' ? now.includes(text) : text.test(now);
  });
}

/** Page scripts are texts: their globals belong to the page, not to this program. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))');
}

describe.skipIf(!hasChromium)('the board in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    plc = await startSettablePlc();
    plc.set(0, 1);
    plc.set(3, 41);
    plc.set(4, 415);
    server = startServer(data);
    const ready = await server.ready;
    ports = { http: ready.http ?? 0, mqtt: ready.mqtt ?? 0 };
    url = `http://127.0.0.1:${ports.http}`;
    agent = (await prepareEdge(data, 'e', ports.mqtt, [machineConnection(plc.port)])).start();
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

  it('shows a PLC register as a state, with word, reason and count, and follows it without a reload', async () => {
    const { page, problems } = await openPage(browser, url);
    await shows(page, 'Đang chạy');
    plc.set(1, 7);
    plc.set(0, 3);
    await shows(page, /Sự cố[\s\S]*Tool broken/);
    plc.set(1, 0);
    await shows(page, /Sự cố[\s\S]*Chưa có lý do/);
    plc.set(0, 1);
    await shows(page, 'Đang chạy');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('greys out with its age when the server dies, and recovers by itself when it is back', async () => {
    const { page } = await openPage(browser, url);
    await shows(page, 'Đang chạy');
    await page.evaluate("mark = 'not reloaded'");
    await server.kill();
    await page.getByText('Mất liên lạc với máy chủ').waitFor({ timeout: 10_000 });
    await page
      .getByText(/Dữ liệu cũ/)
      .first()
      .waitFor();
    expect(await tileOf(page).innerText()).toContain('Đang chạy');
    plc.set(0, 2);
    server = startServer(data, ports);
    await server.ready;
    await shows(page, 'Đang chờ');
    await page.getByText('Mất liên lạc với máy chủ').waitFor({ state: 'detached' });
    expect(await page.evaluate('mark')).toBe('not reloaded');
    plc.set(0, 1);
    await shows(page, 'Đang chạy');
    await page.context().close();
  });

  it('tells a browser without network apart', async () => {
    const { page } = await openPage(browser, url);
    await shows(page, 'Đang chạy');
    await page.context().setOffline(true);
    await page.getByText('Màn hình này mất mạng').waitFor({ timeout: 20_000 });
    await page.context().setOffline(false);
    await page.getByText('Màn hình này mất mạng').waitFor({ state: 'detached', timeout: 30_000 });
    await page.context().close();
  });

  it('opens the machine with its values, timeline and trend, from its own address', async () => {
    const { page, problems } = await openPage(browser, `${url}/m/${encodeURIComponent('g/e/M1')}?lang=en`);
    await page.getByText('Temp/Oil').first().waitFor();
    await until('the value with its unit', async () => /41\.5\s*°C/.test(await page.locator('body').innerText()));
    await page.locator('canvas').first().waitFor();
    plc.set(4, 420);
    await until('the live value', async () => /\b42(\.0)?\s*°C/.test(await page.locator('body').innerText()));
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('asks for the right time on a device whose clock is wrong by a day', async () => {
    const { page } = await openPage(browser, 'about:blank');
    await page.clock.setSystemTime(Date.now() - 86_400_000);
    const asked = page.waitForRequest((request) => request.url().includes('/states?'));
    await page.goto(`${url}/m/${encodeURIComponent('g/e/M1')}?lang=en`);
    const to = Number(new URL((await asked).url()).searchParams.get('to'));
    expect(Math.abs(to - Date.now())).toBeLessThan(10_000);
    await page.context().close();
  });

  it.each([
    ['vi', 'light', 390, '/'],
    ['en', 'dark', 1440, '/'],
    ['vi', 'dark', 1920, '/?mode=tv'],
    ['en', 'light', 1440, '/connections'],
    ['vi', 'dark', 390, '/connections'],
    ['vi', 'light', 1440, `/m/${encodeURIComponent('g/e/M1')}`],
    ['en', 'dark', 390, `/m/${encodeURIComponent('g/e/M1')}`],
  ] as const)('%s, %s, %i px, %s: no accessibility violation, no sideways scroll, no script error', async (lang, colorScheme, width, path) => {
    const address = `${url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`;
    const { page, problems } = await openPage(browser, address, { colorScheme, viewport: { width, height: width === 390 ? 844 : 1000 } });
    await page
      .getByText(/Máy thử|M1/)
      .first()
      .waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe(lang);
    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
