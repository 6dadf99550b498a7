import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isScope, type Scope, scopes } from '../auth/scope.ts';
import { addToken } from '../auth/token-file.ts';
import { adminPassword, type Rig, startRig } from '../testing/rig.ts';
import { payloads } from '../webhooks/events.ts';
import { createApp } from './app.ts';
import { examples } from './examples.ts';
import { type OpenApiDocument, type Operation, openApiDocument, operationId } from './openapi.ts';
import type { Route } from './route.ts';
import { backupRoutes } from './routes/backup.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { deliveryRoutes } from './routes/delivery.ts';
import type { RouteDeps } from './routes/deps.ts';
import { downtimeRoutes } from './routes/downtime.ts';
import { edgeRoutes } from './routes/edges.ts';
import { exportRoutes } from './routes/export.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { kpiRoutes } from './routes/kpi.ts';
import { liveRoutes } from './routes/live.ts';
import { machineRoutes } from './routes/machines.ts';
import { sessionRoutes } from './routes/session.ts';
import { sharingRoutes } from './routes/sharing.ts';
import { stateRoutes } from './routes/states.ts';
import { storeRoutes } from './routes/store.ts';

/** Every route there can be; none of them is called. */
const deps = { backups: {}, deadLetters: {}, exports: {}, sharing: {} } as unknown as RouteDeps;
const all: readonly Route[] = [
  ...[sessionRoutes, machineRoutes, stateRoutes, historyRoutes, kpiRoutes, downtimeRoutes, deliveryRoutes, edgeRoutes, liveRoutes],
  ...[healthRoutes, backupRoutes, storeRoutes, exportRoutes, deadLetterRoutes, sharingRoutes],
].flatMap((make) => make(deps));
const document = openApiDocument(all, '0.0.0-test');
const operations = Object.entries(document.paths).flatMap(([path, byMethod]) =>
  Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ config: { rateLimit: { perSecond: 1, burst: 200 } } });
});
afterAll(() => rig.close());

function scopeOf({ security }: Operation): Scope | undefined {
  const scope = security[0]?.session?.[0] ?? '';
  return isScope(scope) ? scope : undefined;
}

describe('the OpenAPI document', () => {
  it('has an example that fits for every JSON body and answer', () => {
    for (const route of all) {
      const id = operationId(route);
      if (route.response !== null) expect(route.response.safeParse(examples[id]?.answer).error?.issues, id).toBeUndefined();
      if (route.body !== undefined) expect(route.body.safeParse(examples[id]?.body).error?.issues, id).toBeUndefined();
    }
    for (const [type, payload] of Object.entries(payloads)) {
      expect(payload.safeParse(examples[type]?.body).error?.issues, type).toBeUndefined();
    }
    const known = new Set([...all.map(operationId), ...Object.keys(payloads)]);
    expect(Object.keys(examples).filter((id) => !known.has(id))).toEqual([]);
  });

  it('resolves every reference, and names every operation once', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    expect(references.length).toBeGreaterThan(50);
    for (const path of references) {
      const found = path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect(found, path).toBeDefined();
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells of every operation its errors, and of every list how it goes on', () => {
    for (const { path, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, path).toContain('default');
      if (scopeOf(operation) !== undefined) expect(statuses, path).toEqual(expect.arrayContaining(['401', '403', '429']));
      const names = operation.parameters?.map(({ name }) => name) ?? [];
      expect(names.includes('limit'), path).toBe(names.includes('cursor'));
    }
    const lists = operations.filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'cursor'));
    expect(lists.map(({ path }) => path)).toEqual([
      '/api/v1/machines',
      '/api/v1/machines/{id}/metrics',
      '/api/v1/states',
      '/api/v1/history',
      '/api/v1/kpi',
      '/api/v1/downtime',
      '/api/v1/downtime/{id}/history',
      '/api/v1/downtime-reasons',
      '/api/v1/losses',
      '/api/v1/completeness',
      '/api/v1/health/edges',
      '/api/v1/backups',
      '/api/v1/sharing/reports',
      '/api/v1/sharing/policies',
    ]);
  });

  it('is what the server serves', async () => {
    const served = (await (await fetch(`${rig.url}/api/openapi.json`)).json()) as OpenApiDocument;
    expect(served.components.schemas).toHaveProperty('Machine');
    for (const [path, byMethod] of Object.entries(served.paths)) expect(byMethod).toEqual(document.paths[path]);
  });
});

describe('scopes', () => {
  it('are declared by every route', async () => {
    expect(all.filter(({ access }) => access !== 'open' && !isScope(access))).toEqual([]);
    const open = all.filter(({ access }) => access === 'open').map(({ method, path }) => `${method} ${path}`);
    expect(open).toEqual([
      'GET /api/v1/session',
      'POST /api/v1/session',
      'DELETE /api/v1/session',
      'DELETE /api/v1/sessions',
      'GET /health/live',
      'GET /health/ready',
    ]);
    const undeclared = { method: 'GET', path: '/api/v1/secret', summary: '', response: null, handle: () => 'secret' };
    const app = createApp({
      ...(deps as unknown as Parameters<typeof createApp>[0]),
      routes: [undeclared as unknown as Route],
    });
    await expect(app).rejects.toThrow('/api/v1/secret does not say who may use it');
  });

  it('decide what a token may do: nothing below its scope, nothing without one', async () => {
    const secrets = new Map<string, string>();
    for (const scope of scopes) secrets.set(scope, await addToken(rig.dataDir, { name: scope, scope, expiresMs: null }, 0));
    const statusOf = async (method: string, path: string, token?: string): Promise<number> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const url = rig.url + path.replace('{id}', 'hoalac%2Fpress%2FM01').replaceAll(/\{\w+\}/g, 'x');
      const response = await fetch(url, { method: method.toUpperCase(), headers, signal: AbortSignal.timeout(5000) });
      await response.body?.cancel();
      return response.status;
    };
    await expect.poll(() => statusOf('get', '/metrics', secrets.get('metrics'))).toBe(200);
    const served = (await (await fetch(`${rig.url}/api/openapi.json`)).json()) as OpenApiDocument;
    for (const [path, byMethod] of Object.entries(served.paths)) {
      for (const [method, operation] of Object.entries(byMethod)) {
        const needed = scopeOf(operation);
        if (needed === undefined) continue;
        expect(await statusOf(method, path), `${method} ${path}`).toBe(401);
        for (const held of scopes) {
          const isEnough = scopes.indexOf(held) >= scopes.indexOf(needed);
          const status = await statusOf(method, path, secrets.get(held));
          if (isEnough) expect([401, 403, 429], `${method} ${path} as ${held}`).not.toContain(status);
          else expect(status, `${method} ${path} as ${held}`).toBe(403);
        }
      }
    }
  });
});

describe('the rate limit', () => {
  it('stops one caller with 429 and leaves others, health and the login alone', async () => {
    const token = await addToken(rig.dataDir, { name: 'runaway', scope: 'read', expiresMs: null }, 0);
    const headers = { authorization: `Bearer ${token}` };
    const ask = () => fetch(`${rig.url}/api/v1/stats`, { headers });
    await expect.poll(async () => (await ask()).status).toBe(200);
    let refused: Response | undefined;
    for (let i = 0; i < 400 && refused === undefined; i++) {
      const response = await ask();
      if (response.status === 429) refused = response;
      else await response.text();
    }
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused?.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused?.json()).toMatchObject({ status: 429, title: 'Too many requests' });
    const cookie = await rig.login();
    expect((await fetch(`${rig.url}/api/v1/stats`, { headers: { cookie } })).status).toBe(200);
    expect((await fetch(`${rig.url}/health/live`)).status).toBe(200);
    const metrics = await fetch(`${rig.url}/metrics`, { headers: { authorization: `Basic ${btoaUtf8(`admin:${adminPassword}`)}` } });
    expect(await metrics.text()).toMatch(/live_http_rate_limited_total [1-9]/);
  });
});

function btoaUtf8(text: string): string {
  return Buffer.from(text).toString('base64');
}
