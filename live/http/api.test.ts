import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addToken } from '../auth/token-file.ts';
import { lathe, press } from '../testing/plant.ts';
import { adminPassword, eventually, type HistorySample, type Rig, startRig } from '../testing/rig.ts';
import { machineView, metricView } from './schemas.ts';

const minuteMs = 60_000;
const startMs = Math.floor(Date.now() / minuteMs) * minuteMs - 60 * minuteMs;

const history: readonly HistorySample[] = [
  [press, 'Connection', startMs - 1, 'online'],
  [press, 'State', startMs, 'running'],
  [press, 'State', startMs + 30 * minuteMs, 'fault'],
  [press, 'State/Reason', startMs + 30 * minuteMs, 'Kẹt phôi'],
  ...Array.from({ length: 60 }, (_, i): HistorySample => [press, 'Count/Good', startMs + i * minuteMs, i * 4]),
  [press, 'Note', startMs, '=cmd|calc'],
  [press, 'Note', startMs + 1, '-5.5'],
  [press, 'Note', startMs + 2, 'a "b", c\nd'],
  [press, 'Serial', startMs, 9_007_199_254_740_993n],
];

let rig: Rig;
let cookie: string;
beforeAll(async () => {
  rig = await startRig({ history });
  cookie = await rig.login();
});
afterAll(() => rig.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${rig.url}${path}`, { headers: { cookie, ...headers } });
}

async function problem(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const document = (await response.json()) as Record<string, unknown>;
  expect(document).toMatchObject({ status: response.status, title: expect.any(String), type: 'about:blank' });
  expect(JSON.stringify(document)).not.toMatch(/\.ts:|node_modules|at \w+ \(/);
  return String(document.detail);
}

const historyOf = (metric: string, rest = '') =>
  `/api/v1/history?machine=${encodeURIComponent(press)}&metric=${encodeURIComponent(metric)}&from=${startMs}${rest}`;

describe('values', () => {
  it('lists machines, one machine and its metrics, filled from the history', async () => {
    const list = (await (await get('/api/v1/machines')).json()) as { machines: { id: string }[] };
    expect(list.machines.map((machine) => machineView.parse(machine).id)).toEqual([press, lathe]);
    const machine = await (await get(`/api/v1/machines/${encodeURIComponent(press)}`)).json();
    expect(machine).toMatchObject({ state: 'fault', since: startMs + 30 * minuteMs, reason: 'Kẹt phôi', connection: 'online' });
    const metrics = (await (await get(`/api/v1/machines/${encodeURIComponent(press)}/metrics`)).json()) as { metrics: unknown[] };
    for (const metric of metrics.metrics) metricView.parse(metric);
    expect(metrics.metrics).toContainEqual({ name: 'Serial', v: '9007199254740993', t: startMs, unit: null, q: 192 });
    expect(await problem(await get('/api/v1/machines/nobody'))).toContain('percent-encoded');
  });

  it('tells states as intervals that cover the range', async () => {
    const to = startMs + 40 * minuteMs;
    const url = `/api/v1/machines/${encodeURIComponent(press)}/states?from=${startMs - minuteMs}&to=${new Date(to).toISOString()}`;
    const { intervals } = (await (await get(url)).json()) as { intervals: unknown };
    expect(intervals).toEqual([
      { from: startMs - minuteMs, to: startMs, state: 'unknown', reason: null },
      { from: startMs, to: startMs + 30 * minuteMs, state: 'running', reason: null },
      { from: startMs + 30 * minuteMs, to, state: 'fault', reason: 'Kẹt phôi' },
    ]);
    const all = (await (await get(`/api/v1/states?from=${startMs}&to=${to}`)).json()) as { machines: Record<string, unknown> };
    expect(Object.keys(all.machines)).toEqual([press, lathe]);
    expect(all.machines[lathe]).toEqual([{ from: startMs, to, state: 'unknown', reason: null }]);
  });

  it('gives raw history and buckets as columns', async () => {
    const raw = (await (await get(historyOf('Count/Good', '&limit=3'))).json()) as unknown;
    expect(raw).toEqual({ t: [0, 1, 2].map((i) => startMs + i * minuteMs), v: [0, 4, 8], q: [192, 192, 192], next: expect.any(String) });
    expect(await (await get(historyOf('Serial'))).json()).toMatchObject({ v: ['9007199254740993'] });
    const buckets = await (await get(historyOf('Count/Good', `&every=5m&to=${startMs + 4 * minuteMs}&agg=max,count`))).json();
    const ms = await (await get(historyOf('Count/Good', `&every=300000&to=${startMs + 4 * minuteMs}&agg=max,count`))).json();
    expect(buckets).toEqual(ms);
    expect(Object.keys(buckets as object)).toEqual(['t', 'max', 'count']);
  });

  it('writes CSV that opens in a spreadsheet and runs nothing there', async () => {
    const response = await get(historyOf('Note', '&sep=;'), { accept: 'text/csv' });
    expect(response.headers.get('content-type')).toContain('text/csv');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="hoalac-press-M01_Note.csv"');
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const time = (i: number) => new Date(startMs + i).toISOString();
    expect(new TextDecoder().decode(bytes)).toBe(
      `time;value;quality\r\n${time(0)};'=cmd|calc;192\r\n${time(1)};-5.5;192\r\n${time(2)};"a ""b"", c\nd";192\r\n`,
    );
    const buckets = await (await get(historyOf('Count/Good', `&every=1h&to=${startMs + minuteMs}`), { accept: 'text/csv' })).text();
    expect(buckets.split('\r\n')[0]).toBe('time,min,max,avg,last,count');
  });

  it('says what is not there and what to do', async () => {
    const details = async (path: string, headers = {}) => {
      const response = await get(path, headers);
      return [response.status, await problem(response)];
    };
    expect(await details(historyOf('Nothing'))).toEqual([404, expect.stringContaining('no metric "Nothing"')]);
    expect(await details(historyOf('Count/Good'), { accept: 'application/vnd.apache.parquet' })).toEqual([
      406,
      expect.stringContaining('type memory writes no Parquet'),
    ]);
    expect(await details('/api/v1/losses', { accept: 'application/vnd.apache.parquet' })).toEqual([
      406,
      expect.stringContaining('text/csv'),
    ]);
    expect(await details(historyOf('Count/Good', '&every=1ms'))).toEqual([400, expect.stringContaining('every of at least')]);
    expect(await details(historyOf('Count/Good', '&every=soon'))).toEqual([400, expect.stringContaining('10s, 1m')]);
    expect(await details(historyOf('Count/Good', '&agg=max'))).toEqual([400, expect.stringContaining('every')]);
    expect(await details(historyOf('Count/Good', '&every=1m&agg=median'))).toEqual([400, expect.stringContaining('min, max, avg')]);
    expect(await details(historyOf('Count/Good', '&limit=999999'))).toEqual([400, expect.stringContaining('100000')]);
    expect(await details(historyOf('Count/Good', '&to=5'))).toEqual([400, expect.stringContaining('not before')]);
    expect(await details('/api/v1/states?from=2020-01-01T00:00:00Z')).toEqual([400, expect.stringContaining('at most 31 days')]);
    expect(await details('/api/v1/states?from=yesterday')).toEqual([400, expect.stringContaining('ISO 8601')]);
    expect(await details('/api/v1/states?form=5')).toEqual([400, expect.stringContaining('form')]);
    expect(await details('/api/v1/states?from=5&from=6')).toEqual([400, expect.any(String)]);
    expect(await details('/api/v1/nothing')).toEqual([404, expect.stringContaining('/api/docs')]);
    expect(await details(`/api/v1/machines/${'x'.repeat(300)}`)).toEqual([400, expect.any(String)]);
    expect(await details('/api/v1/machines/%E0%A4%A')).toEqual([400, expect.any(String)]);
  });
});

describe('documents', () => {
  it('describes in OpenAPI 3.1 exactly what it serves', async () => {
    const document = (await (await fetch(`${rig.url}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/v1/completeness',
      '/api/v1/downtime',
      '/api/v1/downtime-reasons',
      '/api/v1/downtime/{id}',
      '/api/v1/downtime/{id}/history',
      '/api/v1/edges/{group}/{edge}/certificates',
      '/api/v1/edges/{group}/{edge}/certificates/decision',
      '/api/v1/edges/{group}/{edge}/config',
      '/api/v1/health/edges',
      '/api/v1/history',
      '/api/v1/kpi',
      '/api/v1/live',
      '/api/v1/losses',
      '/api/v1/machines',
      '/api/v1/machines/{id}',
      '/api/v1/machines/{id}/metrics',
      '/api/v1/machines/{id}/states',
      '/api/v1/session',
      '/api/v1/sessions',
      '/api/v1/states',
      '/api/v1/stats',
      '/api/v1/store',
      '/health/live',
      '/health/ready',
      '/metrics',
    ]);
    expect(Object.keys(document.paths['/api/v1/session'] ?? {})).toEqual(['get', 'post', 'delete']);
    expect(document.paths['/api/v1/history']?.get?.parameters?.map(({ name }) => name)).toContain('every');
    expect(document.paths['/api/v1/machines/{id}']?.get?.parameters).toMatchObject([{ name: 'id', in: 'path', required: true }]);
  });

  it('shows them on a page without script or inline style', async () => {
    const response = await fetch(`${rig.url}/api/docs`);
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page).toContain('GET /api/v1/machines/{id}/states');
    expect(page).not.toMatch(/<script|style=|<style|onerror|javascript:/i);
    expect(page).toContain('&#60;group&#62;/&#60;edge&#62;/&#60;device&#62;');
  });

  it('writes figures for Prometheus', async () => {
    await get('/api/v1/stats');
    const text = await (await get('/metrics')).text();
    expect(text).toContain('# TYPE nhip_stored_samples_total counter\nnhip_stored_samples_total 2\n');
    expect(text).toMatch(/live_http_answers_total\{route="\/api\/v1\/stats",status="2xx"\} \d+/);
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+]+)$/);
  });

  it('tells health without a login, and values only with one', async () => {
    expect(await (await fetch(`${rig.url}/health/live`)).json()).toEqual({ live: true });
    await eventually(async () => ((await fetch(`${rig.url}/health/ready`)).status === 200 ? true : undefined));
    for (const path of ['/api/v1/machines', '/api/v1/stats', '/api/v1/health/edges', '/metrics', '/api/v1/live', historyOf('Count/Good')]) {
      expect((await fetch(rig.url + path)).status).toBe(401);
    }
  });
});

describe('login', () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${rig.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  it('makes a new session each time and never takes one over', async () => {
    const planted = 'nhip_session=planted-by-somebody-else-0123456789012345';
    const response = await post({ username: 'admin', password: adminPassword }, { cookie: planted });
    const [set = ''] = response.headers.getSetCookie();
    expect(set).toMatch(/^nhip_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/);
    expect((await get('/api/v1/machines', { cookie: planted })).status).toBe(401);
    const mine = set.split(';')[0] ?? '';
    expect(await (await get('/api/v1/session', { cookie: mine })).json()).toEqual({
      user: { name: 'admin', role: 'admin' },
      canRead: true,
      rememberDays: 90,
      demo: false,
      grafanaUrl: null,
    });
    const again = await post({ username: 'admin', password: adminPassword }, { cookie: mine });
    expect((await get('/api/v1/machines', { cookie: mine })).status).toBe(401);
    const newer = again.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await fetch(`${rig.url}/api/v1/session`, { method: 'DELETE', headers: { cookie: newer } })).status).toBe(204);
    expect((await get('/api/v1/machines', { cookie: newer })).status).toBe(401);
    expect(await (await get('/api/v1/session', { cookie: newer })).json()).toMatchObject({ user: null, canRead: false });
  });

  it('lets a device stay logged in that asks for it, where that is allowed', async () => {
    const stays = await post({ username: 'admin', password: adminPassword, remember: true });
    expect(stays.headers.getSetCookie()[0]).toMatch(/; Max-Age=34560000$/);
    const strict = await startRig({ config: { rememberDays: 0 } });
    const body = JSON.stringify({ username: 'admin', password: adminPassword, remember: true });
    const url = `${strict.url}/api/v1/session`;
    const refused = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(refused.headers.getSetCookie()[0]).toMatch(/; Max-Age=43200$/);
    expect(await (await fetch(url)).json()).toMatchObject({ rememberDays: 0 });
    await strict.close();
  });

  it('takes Basic and Bearer', async () => {
    const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` });
    const status = async (headers: Record<string, string>) => (await fetch(`${rig.url}/api/v1/stats`, { headers })).status;
    expect(await status(basic(adminPassword))).toBe(200);
    expect(await status(basic(`${adminPassword}x`))).toBe(401);
    const token = await addToken(rig.dataDir, { name: 'grafana', scope: 'read', expiresMs: null }, 0);
    await eventually(async () => ((await status({ authorization: `Bearer ${token}` })) === 200 ? true : undefined));
    expect(await status({ authorization: 'Bearer nhip_nonsense' })).toBe(401);
  });

  it('asks browsers for no Basic window', async () => {
    const challenge = async (headers: Record<string, string>) =>
      (await fetch(`${rig.url}/api/v1/stats`, { headers })).headers.get('www-authenticate');
    expect(await rawStatus('/api/v1/stats', { 'sec-fetch-mode': 'cors' }, 'www-authenticate')).toBe('Bearer realm="nhip"');
    expect(await rawStatus('/api/v1/stats', {}, 'www-authenticate')).toContain('Basic');
    expect(await challenge({})).toContain('Bearer');
  });

  it('refuses foreign pages and foreign host names', async () => {
    const login = { username: 'admin', password: adminPassword };
    expect((await post(login, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await post(login, { origin: 'null' })).status).toBe(403);
    expect((await post(login, { origin: rig.url })).status).toBe(200);
    expect(await rawStatus('/api/v1/machines', { host: 'evil.example' })).toBe('421');
    expect(await rawStatus('/health/live', { host: 'localhost:1234' })).toBe('200');
    expect(await rawStatus('/health/live', { host: '192.168.1.20' })).toBe('200');
  });

  it('refuses what is no login: wrong shape, wrong type, too large, prototype games', async () => {
    expect((await post({ username: 'admin' })).status).toBe(400);
    expect((await post({ username: 'admin', password: adminPassword, role: 'admin' })).status).toBe(400);
    expect((await post('{"username":"a","password":"b","__proto__":{"x":1}}')).status).toBe(400);
    expect((await post('not json')).status).toBe(400);
    expect((await post('username=admin', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    const large = await post({ username: 'admin', password: 'x'.repeat(300 * 1024) });
    expect(large.status).toBe(413);
    await problem(large);
  });

  it('slows guessing down with 429 and tells how long, also for a name that does not exist', async () => {
    const username = 'no-such-user';
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await post({ username, password: 'wrong' })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await post({ username, password: adminPassword });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await problem(refused);
    expect((await post({ username: 'admin', password: adminPassword })).status).toBe(200);
  });

  /** What fetch cannot send: host and sec-fetch headers. Resolves with a response header or the status. */
  function rawStatus(path: string, headers: Record<string, string>, header?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(rig.url + path, { headers }, (response) => {
        response.resume();
        resolve(header === undefined ? String(response.statusCode) : String(response.headers[header]));
      });
      sent.on('error', reject);
      sent.end();
    });
  }
});

describe('web app', () => {
  it('says what to do while it is not built', async () => {
    const response = await fetch(rig.url);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
  });

  it('serves files, keeps hashed ones for a year, and gives the app for its own addresses', async () => {
    const webDir = await mkdtemp(join(tmpdir(), 'nhip-web-'));
    await mkdir(join(webDir, 'assets'));
    await writeFile(join(webDir, 'index.html'), '<!doctype html><title>board</title>');
    await writeFile(join(webDir, 'assets', 'app-1a2b3c.js'), 'export {};');
    const other = await startRig({ webDir });
    try {
      const cacheOf = async (path: string) => {
        const response = await fetch(other.url + path);
        return [response.status, response.headers.get('cache-control'), (await response.text()).slice(0, 9)];
      };
      expect(await cacheOf('/')).toEqual([200, 'no-cache', '<!doctype']);
      for (const path of ['/m/hoalac?range=shift', '/m/plant%2Fgw.local%2FPUMP.2']) {
        expect(await cacheOf(path), path).toEqual([200, 'no-cache', '<!doctype']);
      }
      expect(await cacheOf('/assets/app-1a2b3c.js')).toEqual([200, 'public, max-age=31536000, immutable', 'export {}']);
      for (const path of ['/assets/gone.js', '/api/v1/gone', '/..%2f..%2fetc/os-release.x', '/assets/..%2f..%2fusers.json']) {
        expect((await cacheOf(path))[0]).toBeGreaterThanOrEqual(400);
      }
      expect(await cacheOf('/..%2f..%2f..%2f..%2fetc/passwd')).toEqual([200, 'no-cache', '<!doctype']);
      expect((await fetch(other.url, { method: 'HEAD' })).headers.get('content-security-policy')).toContain("default-src 'self'");
    } finally {
      await other.close();
      await rm(webDir, { recursive: true });
    }
  });
});

describe('start', () => {
  it('names a taken port in one sentence', async () => {
    const port = Number(new URL(rig.url).port);
    await expect(startRig({ config: { port } })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use: stop the other program or choose another with --http-port.`,
    );
  });
});
