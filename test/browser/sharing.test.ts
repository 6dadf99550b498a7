import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import { nhip, type Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}
interface Report {
  readonly id: string;
  readonly state: string;
  readonly digest: string;
  readonly approvals: readonly { readonly by: string }[];
  readonly stoppedBy?: string;
  readonly text?: string;
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** A folder for pictures to look at; without it none are made. */
const pictures = process.env.NHIP_TEST_PICTURES;
const admin: Login = { username: 'admin', password: 'test-admin-password' };

let data: DataFolder;
let demo: Process;
let browser: Browser;
let url = '';
let sectorUrl = '';
let director: Login;
/** Yesterday's report, and the others as the demo left them. */
let held: Report;
let others: readonly Report[];

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/sharing${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}
const reports = async (): Promise<readonly Report[]> => (await ask<{ reports: readonly Report[] }>('/reports')).reports;
const pathOf = ({ id }: Report): string => `/sharing?report=${id}`;
const approve = (page: Page) => page.getByRole('button', { name: 'Duyệt đúng nội dung này' });

/** Page scripts are texts: their globals belong to the page, not to this program. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))');
}

async function openAs(login: Login, path: string) {
  const opened = await openPage(browser, `${url}/login`);
  expect((await opened.page.request.post(`${url}/api/v1/session`, { data: login })).status()).toBe(200);
  await opened.page.goto(url + path);
  return opened;
}

describe.skipIf(!hasChromium)('what leaves the factory, in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    demo = nhip(['demo', '--data', data.path, '--http-port', '0', '--mqtt-port', '0', '--json']);
    const ready = (await demo.ready) as unknown as { readonly http: number; readonly sector: number; readonly secondLogin: Login };
    sectorUrl = `http://127.0.0.1:${ready.sector}`;
    url = `http://127.0.0.1:${ready.http}`;
    director = ready.secondLogin;
    browser = await launchChromium();
    const all = await until(
      'only the newest report waits',
      async () => {
        const [newest, ...older] = await reports();
        return newest?.state === 'held' && older.length >= 4 && older.every(({ state }) => state === 'accepted') && [newest, ...older];
      },
      150_000,
    );
    [held, ...others] = all as [Report, ...Report[]];
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    data?.remove();
  });

  it('shows a viewer the policy in force in plain words, what was accepted, and what waits for two people', async () => {
    const { page, problems } = await openPage(browser, `${url}/sharing`);
    const policy = page.locator('section', { has: page.getByRole('heading', { name: 'Chính sách chia sẻ' }) });
    await policy.getByText('thời gian dừng theo lý do').waitFor();
    expect(await policy.innerText()).toMatch(
      /Phiên bản 1\s+Đang có hiệu lực[\s\S]*Người duyệt: admin, giam-doc[\s\S]*Gửi Nền tảng dữ liệu ngành \(máy này\)[\s\S]*sản lượng[\s\S]*Ở lại nhà máy\s+thời gian dừng theo lý do/,
    );
    expect(await page.getByRole('row', { name: /Đã nhận, có biên nhận/ }).count()).toBe(others.length);
    expect(await page.getByRole('row', { name: /Chờ 2 người duyệt/ }).count()).toBe(1);
    await page
      .getByRole('row', { name: /Đã nhận, có biên nhận/ })
      .first()
      .getByRole('link')
      .click();
    await page.getByText(/^Biên nhận [0-9a-f-]{36}, nhận lúc/).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('shows the exact bytes that wait, checks their digest itself, and tells what leaves and what stays', async () => {
    const { page, problems } = await openPage(browser, `${url}/sharing`);
    await page.getByRole('link', { name: /^Xem báo cáo: Ngày/ }).click();
    await page.getByText('Trình duyệt đã tính lại mã băm: khớp.').waitFor();
    const bytes = (await page.locator('pre').textContent()) ?? '';
    expect(await page.locator('code').allTextContents()).toContain(held.digest);
    expect(`sha-256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(held.digest);
    expect(bytes).not.toContain('downtimeByReason');
    const column = (name: RegExp) => page.locator('section', { has: page.getByRole('heading', { name }) });
    expect(await column(/^Rời nhà máy \(\d+\)/).innerText()).toMatch(/Điện lưới: lượng tiêu thụ\s+[\d.,]+ kilôoát giờ/);
    expect(await column(/^Ở lại nhà máy \(\d+\)/).innerText()).toMatch(/Chưa có lý do: thời gian dừng\s+[\d.,]+ giây máy/);
    await page.getByText('Đăng nhập để duyệt hoặc giữ lại.').waitFor();
    expect(await approve(page).count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('offers no approval when what is shown does not have its digest', async () => {
    const { page } = await openAs(admin, '/login');
    await page.route(`**/sharing/reports/${held.id}`, async (route) => {
      const response = await route.fetch();
      const report = (await response.json()) as Report;
      await route.fulfill({ response, json: { ...report, text: report.text?.replace('"running":', '"running":1') } });
    });
    await page.goto(url + pathOf(held));
    await page.getByRole('alert').filter({ hasText: 'Mã băm KHÔNG khớp' }).waitFor();
    expect(await approve(page).count()).toBe(0);
    await page.context().close();
  });

  it.each([
    ['vi', 'light', 390, 'list'],
    ['en', 'dark', 1440, 'list'],
    ['vi', 'light', 390, 'detail'],
    ['en', 'dark', 1440, 'detail'],
  ] as const)('%s, %s, %i px, %s: no accessibility violation, no sideways scroll, no script error', async (lang, colorScheme, width, what) => {
    const address = `${url}${what === 'list' ? '/sharing?' : `${pathOf(held)}&`}lang=${lang}`;
    const viewport = { width, height: width === 390 ? 844 : 1000 };
    const { page, problems } = await openPage(browser, address, { colorScheme, viewport });
    const last = what === 'list' ? /thời gian dừng theo lý do|downtime by reason/ : /Trình duyệt đã tính lại|computed the digest again/;
    await page.getByText(last).first().waitFor();
    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `sharing-${what}-${lang}-${width}.png`), fullPage: true });
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('lets two people approve exactly this report, and shows its receipt without a reload', async () => {
    const { text } = await ask<Report>(`/reports/${held.id}`);
    const first = await openAs(admin, pathOf(held));
    await approve(first.page).waitFor();
    expect(await violations(first.page)).toEqual([]);
    await approve(first.page).click();
    await first.page.getByText('Đã ghi quyết định.').waitFor();
    await first.page.getByText('Đã duyệt 1/2: admin').waitFor();
    await first.page.getByText('Chờ 1 người duyệt').waitFor();
    expect(await approve(first.page).count()).toBe(0);
    await first.page.context().close();

    const second = await openAs(director, pathOf(held));
    await second.page.evaluate("mark = 'not reloaded'");
    await approve(second.page).click();
    await second.page.getByText(/^Biên nhận [0-9a-f-]{36}, nhận lúc/).waitFor({ timeout: 45_000 });
    expect(await second.page.locator('.head').innerText()).toMatch(/Đã nhận, có biên nhận[\s\S]*Đã duyệt 2\/2: admin, giam-doc/);
    expect(await second.page.evaluate('mark')).toBe('not reloaded');
    expect([...first.problems, ...second.problems]).toEqual([]);
    await second.page.context().close();

    const [sent, ...rest] = await reports();
    expect(sent).toMatchObject({ id: held.id, state: 'accepted', digest: held.digest });
    expect((await ask<Report>(`/reports/${held.id}`)).text).toBe(text);
    expect(rest).toEqual(others);
  });

  it('lets an administrator propose a version on a phone: the server’s objection stands next to it, then it waits with its difference', async () => {
    const viewer = await openPage(browser, `${url}/sharing`);
    await viewer.page.getByText('thời gian dừng theo lý do').waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Đề xuất phiên bản mới' }).count()).toBe(0);
    await viewer.page.context().close();

    const { page, problems } = await openAs(admin, '/sharing');
    await page.setViewportSize({ width: 390, height: 844 });
    const fits = async (): Promise<void> => {
      expect(await violations(page)).toEqual([]);
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow).toBeLessThanOrEqual(0);
    };
    const revoke = page.getByRole('button', { name: 'Rút lại chia sẻ' });
    await revoke.click();
    const question = page.getByRole('dialog', { name: /^Rút lại chia sẻ với Nền tảng dữ liệu ngành \(máy này\)/ });
    await question.waitFor();
    await fits();
    for (let presses = 0; presses < 5; presses++) {
      await page.keyboard.press('Tab');
      // Beyond its last button the focus is on the browser's own bar, never on the page behind.
      expect(await page.evaluate('document.activeElement === document.body || document.activeElement.closest("dialog") !== null')).toBe(
        true,
      );
    }
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Rút lại chia sẻ');

    await page.getByRole('button', { name: 'Đề xuất phiên bản mới' }).click();
    const text = page.getByLabel('Chính sách (YAML)');
    const inForce = await text.inputValue();
    const more = inForce.replace(/(\n\s+)- \/machines\/downtimeByReason/, '$1- /machines/downtimeByReason$1- /energy');
    expect(more).not.toBe(inForce);
    await text.fill(more);
    await page.getByRole('button', { name: 'Đề xuất', exact: true }).click();
    await page.getByText('Chưa đề xuất được. Phiên bản 1 không cao hơn phiên bản 1').waitFor();
    expect([await text.getAttribute('aria-invalid'), await text.inputValue()]).toEqual(['true', more]);
    await fits();
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'sharing-form-vi-390.png'), fullPage: true });

    await text.fill(more.replace('version: 1', 'version: 2'));
    await page.getByRole('button', { name: 'Đề xuất', exact: true }).click();
    await page.getByText('Phiên bản 2 đang chờ duyệt ở trên').waitFor();
    await page.getByText(/^Từ nay giữ lại nhà máy: Năng lượng/).waitFor();
    expect(await text.count()).toBe(0);
    await fits();
    // The refused proposal is an answer of 400, which browsers write into their console.
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
    await page.context().close();
  });

  it('is shown by the sector server to its own enterprise: what arrived, the receipts, who read them', async () => {
    const secret = readFileSync(join(data.path, 'sector-secret'), 'utf8').trim();
    const [, clientId = ''] = /clientId: (\S+)/.exec(readFileSync(join(data.path, 'server.yaml'), 'utf8')) ?? [];
    for (const width of [390, 1440]) {
      const { page, problems } = await openPage(browser, sectorUrl, { viewport: { width, height: 900 } });
      expect(await violations(page)).toEqual([]);
      await page.locator('input[name=clientId]').fill(clientId);
      await page.locator('input[name=clientSecret]').fill(secret);
      await page.getByRole('button').click();
      await page.getByText('hoa-lac').first().waitFor();
      expect(await violations(page)).toEqual([]);
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow).toBeLessThanOrEqual(0);
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `sector-${width}.png`), fullPage: true });
      expect(problems).toEqual([]);
      await page.context().close();
    }
  });
});
