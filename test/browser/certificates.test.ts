import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startOpcuaServer, type TestOpcuaServer } from '@nhip/edge-agent/testing/opcua-server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** A folder for pictures to look at; without it none are made. */
const pictures = process.env.NHIP_TEST_PICTURES;
const node = 'nsu=urn:plant;s=Speed';

let data: DataFolder;
let server: Process;
let opcua: TestOpcuaServer;
let edges: readonly Process[] = [];
let browser: Browser;
let url = '';

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** Page scripts are texts: their globals belong to the page, not to this program. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))');
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

async function openAsAdmin(path: string, options: Parameters<typeof openPage>[2] = {}) {
  const opened = await openPage(browser, `${url}/login`, options);
  const body = { username: 'admin', password: 'test-admin-password' };
  const response = await opened.page.request.post(`${url}/api/v1/session`, { data: body });
  expect(response.status()).toBe(200);
  await opened.page.goto(url + path);
  return opened;
}

const panel = (page: Page, edge: string) => page.getByRole('region', { name: new RegExp(`${edge}$`) });

describe.skipIf(!hasChromium)('server certificates in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    opcua = await startOpcuaServer({ namespaces: ['urn:plant'], nodes: [{ node, dataType: 'Double', value: 12.5 }] });
    server = startServer(data);
    const ready = await server.ready;
    url = `http://127.0.0.1:${ready.http}`;
    const connection = (id: string, more: object = {}) => ({
      ...{ id: 'cell', driver: 'opcua', endpoint: opcua.endpoint, securityMode: 'SignAndEncrypt', ...more },
      devices: [{ id, intervalMs: 100, tags: [{ metric: 'Speed', node, dataType: 'Double' }] }],
    });
    const remote = { certificates: true };
    const prepared = [
      await prepareEdge(data, 'open', ready.mqtt ?? 0, [connection('press')], { remote }),
      await prepareEdge(data, 'secret', ready.mqtt ?? 0, [connection('lathe', { username: 'u', password: 'p' })], { remote }),
      await prepareEdge(data, 'closed', ready.mqtt ?? 0, [connection('mill')]),
    ];
    edges = prepared.map((edge) => edge.start());
    await until(
      'all wait',
      async () => {
        const answer = (await (await fetch(`${url}/api/v1/health/edges`)).json()) as { edges: { certificatesWaiting: number | null }[] };
        return answer.edges.filter(({ certificatesWaiting }) => certificatesWaiting === 1).length === 3;
      },
      60_000,
    );
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    for (const edge of edges) await edge.stop();
    await server?.stop();
    await opcua?.stop();
    data?.remove();
  });

  it.each([
    ['vi', 'light', 390],
    ['en', 'dark', 1440],
  ] as const)('are shown to a viewer without buttons: %s, %s, %i px', async (lang, colorScheme, width) => {
    const viewport = { width, height: 900 };
    const { page, problems } = await openPage(browser, `${url}/pipeline?lang=${lang}`, { colorScheme, viewport });
    const open = panel(page, 'g/open');
    await open.getByText(lang === 'vi' ? '1 chứng thư chờ quyết định' : '1 certificate waits for a decision').waitFor();
    await open.getByText(lang === 'vi' ? 'Đăng nhập để quyết định.' : 'Log in to decide.').waitFor();
    expect(await page.getByRole('button', { name: /^(Tin|Trust|Từ chối|Refuse)/ }).count()).toBe(0);
    await panel(page, 'g/closed').getByText('nhip edge trust add').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, `viewer-${lang}-${width}`);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('are trusted and refused by an administrator, after a question', async () => {
    const { page, problems } = await openAsAdmin('/pipeline', { viewport: { width: 1440, height: 1000 } });
    const open = panel(page, 'g/open');
    const trust = open.getByRole('button', { name: /^Tin cậy: urn:/ });
    await trust.waitFor();
    // A password would be shown: only refusing is left here.
    await panel(page, 'g/secret').getByText('gửi mật khẩu cho máy chủ OPC UA').waitFor();
    expect(await panel(page, 'g/secret').getByRole('button').count()).toBe(1);
    expect(await panel(page, 'g/closed').getByRole('button').count()).toBe(0);
    await picture(page, 'admin-vi-1440');

    await trust.focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: 'Tin cậy chứng thư này?' });
    await question.waitFor();
    await question.getByText(opcua.endpoint).waitFor();
    expect((await question.locator('code').innerText()).replaceAll(/\s/g, '')).toMatch(/^[0-9A-F]{64}$/);
    expect(await violations(page)).toEqual([]);
    await picture(page, 'question-vi-1440');
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(await trust.isEnabled()).toBe(true);

    await trust.click();
    await question.getByRole('button', { name: 'Đã so, trùng khớp: tin cậy' }).click();
    await open.waitFor({ state: 'detached' });
    await page.locator('summary', { hasText: 'g/open' }).click();
    await open.getByText('Được tin cậy', { exact: true }).waitFor();
    await until(
      'the value',
      async () => {
        const answer = await fetch(`${url}/api/v1/machines/${encodeURIComponent('g/open/press')}/metrics`);
        return answer.ok && (await answer.text()).includes('12.5');
      },
      60_000,
    );
    await picture(page, 'trusted-vi-1440');

    await open.getByRole('button', { name: /^Từ chối: urn:/ }).click();
    await page.getByRole('dialog', { name: 'Từ chối chứng thư này?' }).getByRole('button', { name: 'Từ chối' }).click();
    await open.getByText('Bị từ chối', { exact: true }).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('can be decided on with a phone', async () => {
    const { page, problems } = await openAsAdmin('/pipeline?lang=en', { viewport: { width: 390, height: 844 } });
    const refuse = panel(page, 'g/secret').getByRole('button', { name: /^Refuse: urn:/ });
    await refuse.click();
    const question = page.getByRole('dialog', { name: 'Refuse this certificate?' });
    await picture(page, 'question-en-390');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    for (const button of await question.getByRole('button').all()) expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(43);
    await question.getByRole('button', { name: 'Refuse' }).click();
    await panel(page, 'g/secret').waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
