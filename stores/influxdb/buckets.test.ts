import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { makeBuckets } from './buckets.ts';

/** The answers of InfluxDB 2.7.12 to these requests (/api/v2/orgs, /buckets, /dbrps), as it gave them, given at the wire. */
interface Fake {
  readonly url: string;
  readonly buckets: { readonly id: string; readonly name: string; readonly retentionRules: readonly object[] }[];
  readonly mappings: { readonly database: string; readonly retention_policy: string; readonly bucketID: string }[];
  readonly tokens: Set<string>;
}

let http: Server | undefined;
afterEach(() => {
  http?.closeAllConnections();
  http?.close();
});

async function startFake({ mayMake = true, seesOrganisation = true } = {}): Promise<Fake> {
  const buckets: Fake['buckets'] = [];
  const mappings: Fake['mappings'] = [];
  const tokens = new Set<string>();
  http = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake');
    const answer = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const body = request.method === 'POST' ? JSON.parse(await textOf(request)) : undefined;
    tokens.add(request.headers.authorization ?? '');
    if (request.headers.authorization !== 'Token secret') return answer(401, { code: 'unauthorized', message: 'unauthorized access' });
    if (body !== undefined && !mayMake) return answer(401, { code: 'unauthorized', message: 'write:orgs/0a/buckets is unauthorized' });
    switch (`${request.method} ${pathname}`) {
      case 'GET /api/v2/orgs':
        if (searchParams.get('org') !== 'works') return answer(404, { code: 'not found', message: 'organization name "none" not found' });
        return answer(200, { orgs: seesOrganisation ? [{ id: '0a', name: 'works' }] : [] });
      case 'GET /api/v2/buckets': {
        const found = buckets.filter(({ name }) => name === searchParams.get('name'));
        return found.length > 0 ? answer(200, { buckets: found }) : answer(404, { code: 'not found', message: 'bucket not found' });
      }
      case 'POST /api/v2/buckets':
        buckets.push({ id: `b${buckets.length}`, name: body.name, retentionRules: body.retentionRules });
        return answer(201, buckets.at(-1) ?? {});
      case 'GET /api/v2/dbrps':
        return answer(200, { content: mappings.filter(({ retention_policy }) => retention_policy === searchParams.get('rp')) });
      case 'POST /api/v2/dbrps':
        mappings.push(body);
        return answer(201, body);
      default:
        return answer(404, { code: 'not found', message: pathname });
    }
  });
  await new Promise<void>((resolve) => http?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, buckets, mappings, tokens };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const schema = { database: 'nhip', retentionDays: 30, keptShardDays: 100_000 };
const access = (url: string, change: object = {}) => ({
  ...{ url, organisation: 'works', token: 'secret', ca: undefined, timeoutMs: 2000 },
  ...change,
});

describe('buckets of 2.x', () => {
  it('are made with their retention and mappings, once', async () => {
    const fake = await startFake();
    await makeBuckets(access(fake.url), schema);
    await makeBuckets(access(fake.url), schema);
    expect(fake.buckets.map(({ name, retentionRules }) => ({ name, rule: retentionRules[0] }))).toEqual([
      { name: 'nhip', rule: { type: 'expire', everySeconds: 2_592_000 } },
      { name: 'nhip/kept', rule: { type: 'expire', everySeconds: 0, shardGroupDurationSeconds: 8_640_000_000 } },
    ]);
    expect(fake.mappings).toMatchObject([
      { database: 'nhip', retention_policy: 'autogen', bucketID: 'b0', default: true },
      { database: 'nhip', retention_policy: 'kept', bucketID: 'b1', default: false },
    ]);
    expect([...fake.tokens]).toEqual(['Token secret']);
  });

  it('are not made by a token that may not, in an organisation that is not there, or without one', async () => {
    const fake = await startFake({ mayMake: false });
    await expect(makeBuckets(access(fake.url), schema)).rejects.toMatchObject({
      code: 'store.denied',
      message: expect.stringContaining('401'),
    });
    await expect(makeBuckets(access(fake.url, { token: 'other' }), schema)).rejects.toMatchObject({ code: 'store.denied' });
    await expect(makeBuckets(access(fake.url, { organisation: 'none' }), schema)).rejects.toMatchObject({ code: 'store.noOrganisation' });
    await expect(makeBuckets(access(fake.url, { organisation: undefined }), schema)).rejects.toMatchObject({
      code: 'store.noOrganisation',
    });
    const narrow = await startFake({ seesOrganisation: false });
    await expect(makeBuckets(access(narrow.url), schema)).rejects.toMatchObject({ code: 'store.denied' });
    await expect(makeBuckets(access('http://127.0.0.1:1'), schema)).rejects.toMatchObject({ code: 'store.unreachable' });
  });
});
