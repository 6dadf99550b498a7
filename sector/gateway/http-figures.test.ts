import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { emptyParts } from '@nhip/core/kpi/parts';
import { RetryableError } from '@nhip/core/process/errors';
import { afterEach, expect, it } from 'vitest';
import { createHttpFigures } from './http-figures.ts';

const fromMs = Date.UTC(2026, 10, 20, 17);
const toMs = fromMs + 86_400_000;
let server: Server | undefined;
afterEach(() => server?.close());

const product = {
  product: 'Nắp vòi PP',
  produced: 100,
  good: 97,
  scrap: 3,
  rework: 0,
  idealMs: 2000,
  idealGoodMs: 1940,
  producedWithoutIdeal: 0,
};
const row = {
  period: { from: fromMs, to: toMs, knownTo: toMs, kind: 'range' },
  parts: { ...emptyParts(), statesMs: { ...emptyParts().statesMs, running: 172_800_000 }, produced: 100, energyWh: 4_120_500 },
  downtime: { breakdown: { ms: 60_000, events: 2 }, 'a word of its own': { ms: 1, events: 1 } },
  products: [product],
  machines: { total: 3, instrumented: 2 },
  figures: {},
};

/** The API of a plant that answers as told; resolves with what was asked of it. */
async function plant(status: number, body: unknown): Promise<{ readonly url: string; readonly asked: (string | undefined)[] }> {
  const asked: (string | undefined)[] = [];
  server = createServer((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server?.address() as AddressInfo).port}`, asked };
}
const site = (url: string) => createHttpFigures(() => ({ url, token: 'nhip_t' })).site({ fromMs, toMs });

it('asks the API of the plant for one whole period', async () => {
  const { url, asked } = await plant(200, { rows: [row], next: null });
  expect(await site(url)).toEqual({
    machinesTotal: 3,
    machinesInstrumented: 2,
    parts: row.parts,
    downtime: [{ reason: 'breakdown', ms: 60_000, events: 2 }],
    output: [{ product: 'Nắp vòi PP', produced: 100, good: 97, scrap: 3, idealMs: 2000, idealGoodMs: 1940, origin: 'measured' }],
    energy: [{ carrier: 'electricity_grid', unit: 'KWH', quantity: '4120.5', origin: 'measured' }],
  });
  expect(asked).toEqual(['/api/v1/kpi?scope=site&from=2026-11-20T17%3A00%3A00.000Z&to=2026-11-21T17%3A00%3A00.000Z', 'Bearer nhip_t']);
});

it('says nothing about energy that is not metered, and leaves ideal times out that are not whole', async () => {
  const products = [
    { ...product, producedWithoutIdeal: 1 },
    { ...product, product: null, good: 101, scrap: -1 },
  ];
  const { url } = await plant(200, { rows: [{ ...row, products, parts: { ...row.parts, energyWh: null } }] });
  const { energy, output } = await site(url);
  expect(energy).toEqual([]);
  expect(output[0]).toEqual({ product: 'Nắp vòi PP', produced: 100, good: 97, scrap: 3, origin: 'measured' });
  expect(output[1]).toMatchObject({ produced: 101, good: 101, scrap: 0, flag: { obsStatus: 'E' } });
});

it.each([
  ['no API', undefined, /does not run/],
  ['an error', [503, { detail: 'busy' }], /answered 503/],
  ['no JSON', [200, '<html>'], /something else/],
  ['no row', [200, { rows: [] }], /something else/],
  ['a part that is missing', [200, { rows: [{ ...row, parts: { ...row.parts, pbtMs: undefined } }] }], /something else/],
  ['a period that still runs', [200, { rows: [{ ...row, period: { ...row.period, knownTo: toMs - 1 } }] }], /not whole yet/],
] as const)('is asked again after %s', async (_what, answer, words) => {
  const api = answer === undefined ? undefined : await plant(answer[0], answer[1]);
  const figures = createHttpFigures(() => (api === undefined ? undefined : { url: api.url, token: 't' }));
  const error = await figures.site({ fromMs, toMs }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RetryableError);
  expect((error as Error).message).toMatch(words);
});
