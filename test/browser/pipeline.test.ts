import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeLossReport, type LossReport } from '@nhip/core/wire/loss';
import { encodeIdentity } from '@nhip/core/wire/outbox-identity';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, openPage } from '../harness/chromium.ts';
import { createForeignPublisher, type ForeignMetric, type ForeignPublisher } from '../harness/foreign-publisher.ts';
import type { Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const minuteMs = 60_000;
const stream = new Uint8Array(16).fill(7);
/** The edge gave up 1,240 numbers, ten minutes of one hour. */
const lostSamples = 1240;
const hourStartMs = Math.floor(Date.now() / 3_600_000 - 1) * 3_600_000;

let data: DataFolder;
let server: Process;
let edge: ForeignPublisher;
let browser: Browser;
let url = '';
let seq = 0;

const next = () => (seq = (seq + 1) % 256);
const number = (name: string, value: number, timestamp = Date.now()): ForeignMetric => ({ name, type: 'Double', value, timestamp });
const outbox = (name: string, first: number): ForeignMetric => ({ name, type: 'Bytes', value: encodeIdentity(stream, first) });

const report: LossReport = {
  ...{ ledger: 'ab'.repeat(16), no: 1, reason: 'outboxQuota', stream: '07'.repeat(16), seqFrom: 100, seqTo: 100 + lostSamples },
  ...{ fromMs: hourStartMs, toMs: hourStartMs + 10 * minuteMs },
  rows: [{ device: 'M1', metric: 'Temp', samples: lostSamples, fromMs: hourStartMs, toMs: hourStartMs + 10 * minuteMs }],
};

/** Births, 100 samples, the loss of the next 1,240 and one value that is no number. */
async function publishWithLoss(): Promise<void> {
  await edge.send('NBIRTH', '', 0, [
    { name: 'bdSeq', type: 'UInt64', value: 0 },
    number('Outbox/PendingRecords', 0),
    outbox('Outbox/Released', 0),
  ]);
  await edge.send('DBIRTH', 'M1', next(), [number('Temp', 20), number('Power/Active', 1)]);
  const samples = Array.from({ length: 100 }, (_, i) => number('Temp', 20 + i, hourStartMs + 11 * minuteMs + i * 1000));
  await edge.send('DDATA', 'M1', next(), [outbox('Outbox/Identity', 0), ...samples]);
  await edge.send('NDATA', '', next(), [{ name: 'Outbox/Loss', type: 'String', value: encodeLossReport(report) }]);
  await edge.send('DDATA', 'M1', next(), [outbox('Outbox/Identity', 100 + lostSamples), number('Power/Active', Number.NaN)]);
  await edge.send('NDATA', '', next(), [number('Outbox/PendingRecords', 0)]);
}

async function get<Answer>(path: string): Promise<Answer> {
  return (await (await fetch(url + path)).json()) as Answer;
}

/** Page scripts are texts: their globals belong to the page, not to this program. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  return page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))');
}

describe.skipIf(!hasChromium)('the data path in Chromium (needs Debian package chromium)', () => {
  beforeAll(async () => {
    data = makeDataFolder();
    server = startServer(data);
    const ready = await server.ready;
    url = `http://127.0.0.1:${ready.http}`;
    edge = await createForeignPublisher(data, 'g/e', ready.mqtt ?? 0);
    await publishWithLoss();
    await until('both are in the store', async () => {
      const { losses } = await get<{ losses: { reason: string }[] }>('/api/v1/losses');
      return losses.length === 2;
    });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await edge?.close();
    await server?.stop();
    data?.remove();
  });

  it('tells a loss in plain words: who, how many, when, why and what to do', async () => {
    const { page, problems } = await openPage(browser, `${url}/pipeline`);
    await page.getByText('g/e: mất 1.240 mẫu').waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain('Đĩa của bộ thu dùng hết hạn mức');
    expect(text).toContain('tăng outbox.maxBytes');
    expect(text).toContain('(10 ph)');
    await page.getByText('24 giờ qua đã mất 1.240 mẫu').waitFor({ timeout: 60_000 });
    expect(await page.locator('table', { hasText: 'NaN' }).innerText()).toContain('1');
    expect(await page.locator('code').innerText()).toBe('npx nhip dlq list');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('opens an edge by keyboard and shows its machines by the hour', async () => {
    const { page } = await openPage(browser, `${url}/pipeline?lang=en`);
    const line = page.locator('summary', { hasText: 'g/e' });
    await line.waitFor();
    await until('the count of the last 24 hours', async () => /1,240/.test(await line.innerText()), 60_000);
    expect(await line.innerText()).toMatch(/Complete, 24 h\s+7\.\d %/);
    await line.focus();
    await page.keyboard.press('Enter');
    await page.getByText('1,240 missing').first().waitFor();
    await page.getByText('Hours with something missing').click();
    expect(await page.locator('tbody', { hasText: 'Temp' }).innerText()).toMatch(/Temp\s+100\s+1,240\s+0/);
    await page.context().close();
  });

  it('says on the machine page what is missing in the range, and nothing where nothing is', async () => {
    const machine = `${url}/m/${encodeURIComponent('g/e/M1')}?lang=en`;
    const { page } = await openPage(browser, `${machine}&range=24h`);
    await until('the line of the machine page', async () => {
      const text = await page.locator('main').innerText();
      if (!/1,241 samples \(92\.\d %\) of this range are missing: the disk quota/.test(text)) throw new Error(text);
      return true;
    });
    const answered = page.waitForResponse((response) => response.url().includes('/completeness?'));
    await page.goto(`${machine}&from=${hourStartMs - 20 * 3_600_000}&to=${hourStartMs - 19 * 3_600_000}`);
    await answered;
    expect(await page.getByText('of this range are missing').count()).toBe(0);
    await page.context().close();
  });

  it('shows where a backlog waits, and an edge that goes away', async () => {
    const { page } = await openPage(browser, `${url}/pipeline`);
    await edge.send('NDATA', '', next(), [number('Outbox/PendingRecords', 5120)]);
    const backlog = { ...number('Temp', 5, Date.now() - 180_000), isHistorical: true };
    await edge.send('DDATA', 'M1', next(), [outbox('Outbox/Identity', 2000), backlog]);
    await page.getByText(/Đang chờ gửi: 5\.120 mẫu, cũ nhất 3 ph/).waitFor();
    await page.getByText('Số liệu đang tới chậm và tự bắt kịp').waitFor();
    await edge.send('NDEATH', '', 0, [{ name: 'bdSeq', type: 'UInt64', value: 0 }]);
    await page.getByText('Mất liên lạc: g/e.').waitFor();
    await page.context().close();
  });

  it.each([
    ['vi', 'light', 390],
    ['en', 'dark', 390],
    ['en', 'light', 1440],
    ['vi', 'dark', 1920],
  ] as const)('%s, %s, %i px: no accessibility violation, no sideways scroll, no script error', async (lang, colorScheme, width) => {
    const viewport = { width, height: width === 390 ? 844 : 1000 };
    const { page, problems } = await openPage(browser, `${url}/pipeline?lang=${lang}`, { colorScheme, viewport });
    await page.locator('summary', { hasText: 'g/e' }).click();
    await page
      .getByText(/1[.,]240/)
      .first()
      .waitFor();
    await page.locator('details[open] article svg').first().waitFor();
    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
