import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DowntimeStop } from '@nhip/core/kpi/answers';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import { createForeignPublisher, type ForeignMetric, type ForeignPublisher } from '../harness/foreign-publisher.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** A folder for pictures to look at; without it none are made. */
const pictures = process.env.NHIP_TEST_PICTURES;
const machine = 'g/e/M1';
const minuteMs = 60_000;
const zoneMs = 7 * 60 * minuteMs;
const beatMs = 20_000;
const idealMs = 10_000;
/** The shift began about two hours ago, and the machine with it. */
const startMs = Math.floor(Date.now() / minuteMs - 120) * minuteMs;

let data: DataFolder;
let server: Process;
let edge: ForeignPublisher;
let browser: Browser;
let url = '';
let seq = 0;

const localTime = (ms: number): string => new Date(ms + zoneMs).toISOString().slice(11, 16);
const named = (text: string) => ({ vi: text, en: text });
const plant = {
  ...{ enterprise: named('Xưởng thử'), site: named('Xưởng thử'), timeZone: 'Asia/Ho_Chi_Minh' },
  lines: [{ id: 'L1', name: named('Chuyền 1'), machines: [machine] }],
  machines: { [machine]: { name: named('Máy thử'), kind: named('Máy'), idealCycleMs: idealMs } },
  shifts: [{ id: 'S', name: named('Ca thử'), from: localTime(startMs), to: localTime(startMs + 8 * 60 * minuteMs) }],
};

/** Fault from the 30th to the 40th minute, waiting from the 60th to the 66th and for 30 s in the 80th; otherwise it runs. */
function stateAt(ms: number): string {
  const minute = (ms - startMs) / minuteMs;
  if (minute >= 30 && minute < 40) return 'fault';
  return (minute >= 60 && minute < 66) || (minute >= 80 && minute < 80.5) ? 'idle' : 'running';
}

/** State and counters every 20 s from the start of the shift to now; a piece for every beat in which it runs. */
async function publishShift(): Promise<void> {
  const next = () => (seq = (seq + 1) % 256);
  const at = (ms: number, good: number): ForeignMetric[] => [
    { name: 'State', type: 'String', value: stateAt(ms), timestamp: ms },
    { name: 'Count/Good', type: 'Int64', value: good, timestamp: ms },
  ];
  await edge.send('NBIRTH', '', 0, [{ name: 'bdSeq', type: 'UInt64', value: 0 }]);
  await edge.send('DBIRTH', 'M1', next(), at(startMs, 0));
  let good = 0;
  const batch: ForeignMetric[] = [];
  for (let ms = startMs + beatMs; ms < Date.now(); ms += beatMs) {
    if (stateAt(ms) === 'running') good += 1;
    batch.push(...at(ms, good));
    if (batch.length >= 100) await edge.send('DDATA', 'M1', next(), batch.splice(0));
  }
  batch.push(...at(Date.now(), good));
  await edge.send('DDATA', 'M1', next(), batch);
}

async function stops(): Promise<readonly DowntimeStop[]> {
  const query = new URLSearchParams({ scope: `machine:${machine}`, from: String(startMs), to: String(Date.now()) });
  const response = await fetch(`${url}/api/v1/downtime?${query}`);
  return response.ok ? ((await response.json()) as { stops: DowntimeStop[] }).stops : [];
}

/** Page scripts are texts: their globals belong to the page, not to this program. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))');
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

async function openAsAdmin(path: string, options: Parameters<typeof openPage>[2] = {}) {
  const opened = await openPage(browser, `${url}/login`, options);
  const body = { username: 'admin', password: 'test-admin-password' };
  expect((await opened.page.request.post(`${url}/api/v1/session`, { data: body })).status()).toBe(200);
  await opened.page.goto(url + path);
  return opened;
}

/** The figures or stops that the page is about have arrived. */
async function shown(page: Page, path: string): Promise<void> {
  if (path.startsWith('/m/')) await page.getByRole('table', { name: /Thời gian đi đâu|Where the time went/ }).waitFor();
  else if (path.startsWith('/stops'))
    await page
      .locator('li', { hasText: /Chưa có lý do|No reason yet/ })
      .first()
      .waitFor();
  else
    await page
      .locator('h2', { hasText: /OEE \d/ })
      .first()
      .waitFor();
}

const machinePath = `/m/${encodeURIComponent(machine)}`;
const fault = (list: readonly DowntimeStop[]) => list.find(({ state }) => state === 'fault');

describe.skipIf(!hasChromium)('shift, figures and stops in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    writeFileSync(join(data.path, 'plant-model.yaml'), stringify(plant));
    server = startServer(data, {}, ['--demo', '--plant', join(data.path, 'plant-model.yaml')]);
    const ready = await server.ready;
    url = `http://127.0.0.1:${ready.http}`;
    edge = await createForeignPublisher(data, 'g/e', ready.mqtt ?? 0);
    await publishShift();
    await until('the stops are known', async () => (await stops()).length === 3, 60_000);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await edge?.close();
    await server?.stop();
    data?.remove();
  });

  it('says where the time of the shift went: OEE, its factors and the losses', async () => {
    const { page, problems } = await openPage(browser, url + machinePath);
    const losses = page.getByRole('table', { name: 'Thời gian đi đâu' });
    await losses.waitFor();
    const text = await losses.innerText();
    expect(text).toMatch(/Thời gian sản xuất\s+2 giờ[^\n]*100 %/);
    expect(text).toMatch(/Chưa có lý do\s+−\D*1[56] ph/);
    expect(text).toMatch(/Chạy chậm/);
    // A piece of 10 s every 20 s: half of the possible speed.
    const factors = await page.locator('dl', { hasText: 'Sẵn sàng' }).first().innerText();
    expect(factors).toMatch(/Tốc độ\s+(49|50)(,\d)? %/);
    expect(factors).toMatch(/Chất lượng\s+100 %/);
    await page.getByText('Kỳ này đang chạy').waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('lets a viewer look at stops and says politely that a reason needs a login', async () => {
    const { page } = await openPage(browser, `${url}${machinePath}?lang=en`);
    await page.getByText('Log in to write down reasons').waitFor();
    expect(await page.getByRole('button', { name: /^(Pick a reason|Change)/ }).count()).toBe(0);
    await page.getByText(/Micro-stops: 1 in all/).waitFor();
    await page.context().close();
  });

  it('gives a stop a reason with two taps on a phone, and takes it back', async () => {
    const { page, problems } = await openAsAdmin(machinePath, { viewport: { width: 390, height: 844 }, hasTouch: true });
    await page
      .getByRole('button', { name: /^Chọn lý do: Máy thử/ })
      .last()
      .tap();
    const reason = page.getByRole('button', { name: 'Hỏng máy', exact: true });
    await reason.waitFor();
    expect((await reason.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    expect(await violations(page)).toEqual([]);
    await picture(page, 'reason-390');
    await reason.tap();
    await page.getByText('Đã lưu: Hỏng máy').waitFor();
    expect(fault(await stops())).toMatchObject({ reasonCode: 'breakdown', isUnexplained: false });
    await until('the losses follow', async () =>
      /Hỏng máy\s+−\D*10 ph/.test(await page.getByRole('table', { name: 'Thời gian đi đâu' }).innerText()),
    );
    await page.getByRole('button', { name: 'Hoàn tác', exact: true }).tap();
    await page.getByText('Đã hoàn tác').waitFor();
    expect(fault(await stops())).toMatchObject({ reasonCode: 'unexplained', isUnexplained: true });
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('splits a stop, merges it again, and tells who did it', async () => {
    const { page, problems } = await openAsAdmin(`${machinePath}?lang=en`);
    const pick = page.getByRole('button', { name: /^Pick a reason: Máy thử/ });
    await pick.last().click();
    await page.getByText('Split, merge, history').click();
    await page.getByRole('button', { name: /^Split at/ }).click();
    await page.getByText(/^Saved: split at/).waitFor();
    expect((await stops()).filter(({ state }) => state === 'fault')).toHaveLength(2);
    await until('both parts are listed', async () => (await pick.count()) === 3);
    await pick.last().click();
    await page.getByText('Split, merge, history').click();
    await page.getByRole('button', { name: /^Merge with the next one/ }).click();
    await page.getByText(/^Saved: They become one stop/).waitFor();
    expect((await stops()).filter(({ state }) => state === 'fault')).toHaveLength(1);
    await pick.last().click();
    await page.getByText('Split, merge, history').click();
    const history = page.getByRole('dialog').locator('ol');
    await history.waitFor();
    expect(await history.innerText()).toMatch(/admin\s+split at[\s\S]*admin\s+merged/);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('says so when a reason could not be saved, and does not pretend', async () => {
    const { page } = await openAsAdmin(machinePath);
    await page
      .getByRole('button', { name: /^Chọn lý do: Máy thử/ })
      .first()
      .click();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Thiếu nguyên vật liệu' }).click();
    await page.getByText('Chưa lưu được: không liên lạc được máy chủ').waitFor();
    await page.context().setOffline(false);
    expect((await stops()).filter(({ isUnexplained }) => isUnexplained)).toHaveLength(2);
    await page.context().close();
  });

  it('shows OEE and stops without a reason on the board, and leads from there to the list', async () => {
    const { page, problems } = await openPage(browser, url);
    await page.locator('h2', { hasText: /OEE 4\d(,\d)? %/ }).waitFor();
    expect(await page.locator('dl', { hasText: 'OEE ca này' }).innerText()).toMatch(/OEE ca này\s+4\d(,\d)? %/);
    await page.getByRole('link', { name: /2 lần dừng chưa có lý do/ }).click();
    await page.getByRole('heading', { name: 'Dừng máy' }).waitFor();
    await until('both stops are listed', async () => (await page.locator('li', { hasText: 'Máy thử' }).count()) === 2);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('asks for the last eight hours once a minute, not with every second', async () => {
    const { page } = await openPage(browser, 'about:blank');
    let asked = 0;
    page.on('request', (request) => {
      if (/\/api\/v1\/(states|kpi)\?/.test(request.url())) asked += 1;
    });
    await page.goto(url);
    await page.locator('h2', { hasText: /OEE \d/ }).waitFor();
    const shown = Date.now();
    await until('some seconds pass', () => Promise.resolve(Date.now() - shown > 4000));
    expect(asked).toBe(2);
    await page.context().close();
  });

  it.each([
    ['vi', 'light', 390, machinePath],
    ['en', 'dark', 1440, machinePath],
    ['en', 'light', 1440, `${machinePath}?period=week`],
    ['vi', 'dark', 390, '/stops?stops=all'],
    ['en', 'light', 1440, '/stops'],
    ['vi', 'light', 1440, '/'],
    ['en', 'dark', 390, '/'],
    ['vi', 'dark', 1920, '/?mode=tv'],
  ] as const)('%s, %s, %i px, %s: no accessibility violation, no sideways scroll, no script error', async (lang, colorScheme, width, path) => {
    const viewport = { width, height: width === 390 ? 844 : 1000 };
    const { page, problems } = await openPage(browser, `${url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`, {
      colorScheme,
      viewport,
    });
    await shown(page, path);
    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await picture(page, `shift-${lang}-${width}-${path.replaceAll(/\W+/g, '-')}`);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
