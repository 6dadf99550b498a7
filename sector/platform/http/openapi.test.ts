import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { fastifyPath } from './app.ts';

let opened: TestDatabase;
let server: TestPlatform;
beforeAll(async () => {
  opened = await openTestDatabase();
  server = await createTestPlatform(opened.database);
}, 120_000);
afterAll(() => opened.remove());

it('describes every route that is served, and no other', async () => {
  const { json } = await server.call('GET', '/v1/openapi.json');
  const paths = json.paths as Record<string, Record<string, { operationId: string; summary: string; responses: object }>>;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${fastifyPath(path)}`),
  );
  await server.platform.app.ready();
  for (const each of described) {
    const [method = '', url = ''] = each.split(' ');
    expect(server.platform.app.hasRoute({ method: method as 'GET', url }), each).toBe(true);
  }
  expect(described.map((each) => each.replace('::', ':')).toSorted()).toEqual(servedBy(server).toSorted());
  const ids = Object.values(paths).flatMap((operations) => Object.values(operations).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
  expect(json.openapi).toBe('3.1.0');
  expect(JSON.stringify(json)).not.toContain('#/$defs/');
});

it('answers what is not there as a problem', async () => {
  const { status, headers, json } = await server.call('GET', '/v1/nothing');
  expect([status, headers['content-type'], json.status]).toEqual([404, expect.stringContaining('application/problem+json'), 404]);
});

/** Of Fastify's own list. */
function servedBy({ platform }: TestPlatform): string[] {
  const stack: string[] = [];
  const found: string[] = [];
  for (const line of platform.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', path = '', methods = ''] = /^([│ ]*[├└]── )(\S*) \(([^)]*)\)$/.exec(line) ?? [];
    if (methods === '') continue;
    stack.length = indent.length / 4;
    stack[indent.length / 4 - 1] = path;
    for (const method of methods.split(', ')) found.push(`${method} ${stack.join('')}`);
  }
  return found.filter((each) => !each.startsWith('HEAD'));
}
