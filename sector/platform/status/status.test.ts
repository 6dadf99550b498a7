import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MachineStatus } from '../../contract/report.ts';
import { schemas } from '../../contract/schema-check.ts';
import { migrate } from '../migrations/migrate.ts';
import { describeEachDatabase } from '../testing/each-database.ts';
import { createTestPlatform, operatorToken, type TestFactory, type TestPlatform, taxCodes, tokenOf } from '../testing/test-platform.ts';
import { createMachineStates } from './machine-states.ts';

const startMs = Date.parse('2027-06-01T00:00:00Z');
const dayMs = 86_400_000;
const consentId = 'urn:agreement:2026-0012';
const ref = (machine: number): string => `m_${String(machine).padStart(22, '0')}`;

interface Event {
  readonly id: string;
  readonly source: string;
  readonly data: object;
}

describeEachDatabase((database) => {
  let server: TestPlatform;
  let factory: TestFactory;
  let other: TestFactory;
  let nowMs = startMs;
  let next = 0;

  beforeAll(async () => {
    server = await createTestPlatform(database(), startMs);
    factory = await server.enrol(taxCodes[0]);
    other = await server.enrol(taxCodes[1]);
    await agree(factory, consentId);
    await agree(other, 'urn:agreement:of-another');
    await agree(factory, 'urn:agreement:reports-only', ['vn.sector.production-report']);
  });
  const agree = async ({ enterpriseId }: TestFactory, id: string, products = ['vn.sector.machine-status']): Promise<void> => {
    const body = { products, purposes: ['capacity_monitoring'], validFrom: '2027-01-01T00:00:00Z' };
    const { status } = await server.call('PUT', `/v1/operator/enterprises/${enterpriseId}/agreements/${id}`, { as: operatorToken, body });
    expect(status).toBe(201);
  };
  const advance = (ms: number): void => {
    nowMs += ms;
    server.advanceMs(ms);
  };
  // Tokens live for a quarter of an hour.
  beforeEach(async () => {
    factory = { ...factory, token: await tokenOf(server.call, factory.clientId, factory.clientSecret) };
    other = { ...other, token: await tokenOf(server.call, other.clientId, other.clientSecret) };
  });

  function eventOf(data: Partial<MachineStatus> = {}, of = factory): Event {
    const since = new Date(nowMs - 60_000).toISOString();
    const seq = next++;
    const status = { machineRef: ref(1), machineClass: 'loom', state: 'fault', since, seq, consentId, ...data };
    return {
      ...{ specversion: '1.0', id: `${status.machineRef}-${seq}`, source: `urn:vn:tax:${of.enterpriseId}:nm-01` },
      ...{ type: 'vn.sector.machine-status.v1', time: status.since, datacontenttype: 'application/json', data: status },
    };
  }
  const send = (body: unknown, as = factory.token, type = 'application/cloudevents-batch+json') =>
    server.call('POST', '/v1/machine-status/events', { as, body, headers: { 'content-type': type } });
  const held = async (of = factory) => {
    const { json } = await server.call('GET', '/v1/me/machine-status?limit=500', { as: of.token });
    return json as unknown as {
      keepDays: number;
      arrived: { day: string; establishmentId: string; events: number }[];
      events: { entryId: number; eventId: string; data: object }[];
    };
  };
  const codes = ({ json }: { readonly json: Readonly<Record<string, unknown>> }) =>
    (json.refused as { index: number; code: string; pointer: string }[]).map(({ index, code, pointer }) => [index, code, pointer]);

  it('keeps an event once, however often and in whatever order batches come, and gives back what it said', async () => {
    const events = Array.from({ length: 12 }, (_, i) => eventOf({ machineRef: ref(i % 3), packmlState: 1 + i }));
    const before = (await held()).events.length;
    const batches = fc.array(fc.uniqueArray(fc.constantFrom(...events), { minLength: 1 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, async (list) => {
        const answers = await Promise.all(list.map((batch) => send([...batch, batch[0]])));
        for (const [i, { status, json }] of answers.entries()) {
          expect([status, json.refused]).toEqual([202, []]);
          expect(Number(json.accepted) + Number(json.repeated)).toBe((list[i]?.length ?? 0) + 1);
        }
      }),
      { numRuns: 8 },
    );
    await send(events);
    const after = (await held()).events;
    expect(after.length - before).toBe(events.length);
    const [any] = events;
    expect(after.find(({ eventId }) => eventId === any?.id)?.data).toEqual(any?.data);
    expect((await held()).arrived[0]).toMatchObject({ day: '2027-06-01', establishmentId: 'nm-01', events: after.length });
  });

  it('judges each event alone: what does not fit, is of another, from no known plant, of the future or too old', async () => {
    const good = eventOf();
    const { consentId: _consent, ...withoutConsent } = eventOf().data as MachineStatus;
    const iso = (ms: number): string => new Date(ms).toISOString();
    const answer = await send([
      good,
      { ...eventOf(), data: withoutConsent },
      eventOf({}, other),
      { ...eventOf(), source: `urn:vn:tax:${factory.enterpriseId}:nm-99` },
      eventOf({ since: iso(nowMs + 61_000) }),
      { ...eventOf(), time: iso(nowMs + 61_000) },
      eventOf({ since: iso(nowMs - 31 * dayMs) }),
      { ...eventOf(), data: { ...eventOf().data, speed: 5 } },
      { ...eventOf(), person: 'x' },
      { ...good, data: { ...good.data, state: 'idle' } },
      'x',
      eventOf({ consentId: 'urn:agreement:nobody-knows' }),
      eventOf({ consentId: 'urn:agreement:of-another' }),
      eventOf({ consentId: 'urn:agreement:reports-only' }),
    ]);
    expect([answer.status, answer.json.accepted, answer.json.repeated]).toEqual([207, 1, 0]);
    expect(codes(answer)).toEqual([
      [1, 'SCHEMA', '/data/consentId'],
      [2, 'foreign', '/source'],
      [3, 'establishment', '/source'],
      [4, 'future', '/time'],
      [5, 'future', '/time'],
      [6, 'tooOld', '/data/since'],
      [7, 'SCHEMA', '/data/speed'],
      [8, 'SCHEMA', '/person'],
      [9, 'otherContent', '/id'],
      [10, 'SCHEMA', ''],
      [11, 'agreement', '/data/consentId'],
      [12, 'agreement', '/data/consentId'],
      [13, 'agreement', '/data/consentId'],
    ]);
    expect((await held(other)).events).toEqual([]);
  });

  it('takes batches of bounded size from clients with the scope only', async () => {
    for (const body of ['{}', '[', '[{"a":1,"a":2}]', 'null']) expect((await send(body)).status, body).toBe(400);
    for (const body of [[], Array.from({ length: 501 }, () => 1)]) expect((await send(body)).status).toBe(413);
    expect((await send([eventOf()], factory.token, 'text/plain')).status).toBe(415);
    expect((await send([eventOf()], 'nobody')).status).toBe(401);
    const base = `/v1/operator/enterprises/${factory.enterpriseId}/clients`;
    const { json } = await server.call('POST', base, {
      as: operatorToken,
      body: { name: 'r', scopes: ['reports:submit', 'reports:read'] },
    });
    const token = await tokenOf(server.call, String(json.clientId), String(json.clientSecret));
    expect((await send([eventOf()], token)).status).toBe(403);
  });

  it('deletes events when their time is over; how many arrived stays, on the page and in the access log', async () => {
    await send([eventOf()]);
    const { events, arrived } = await held();
    expect(events.length).toBeGreaterThan(0);
    const states = createMachineStates(database(), { keepMs: 31 * dayMs, maxPerDay: 1, now: () => nowMs });
    expect(await states.prune()).toBe(0);
    advance(32 * dayMs);
    factory = { ...factory, token: await tokenOf(server.call, factory.clientId, factory.clientSecret) };
    expect(await held()).toMatchObject({ keepDays: 31, events: [], arrived });
    expect(await states.prune()).toBe(events.length);
    const { json } = await server.call('GET', '/v1/me/access-log', { as: factory.token });
    const read = expect.objectContaining({ action: 'list machine states', rowCount: events.length });
    expect(json).toMatchObject({ machineStatus: { keepDays: 31, arrived }, entries: expect.arrayContaining([read]) });
    const { clientId, clientSecret } = factory;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const login = await server.call('POST', '/login', { body: new URLSearchParams({ clientId, clientSecret }).toString(), headers });
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
    const text = (await server.call('GET', '/', { headers: { cookie } })).bytes.toString();
    for (const each of ['Trạng thái máy đã nhận', '2027-06-01', `>${arrived[0]?.events}<`, 'giữ 31 ngày']) expect(text).toContain(each);
  });

  it('takes nothing from the moment on at which consent is taken back, and deletes what came under it', async () => {
    const [id, kept] = ['urn:agreement:taken-back', 'urn:agreement:goes-on'];
    for (const each of [id, kept]) await agree(factory, each);
    expect((await send([eventOf({ consentId: id }), eventOf({ consentId: kept })])).status).toBe(202);
    const revoked = await server.call('POST', `/v1/agreements/${id}/revocation`, { as: factory.token });
    expect(revoked.status).toBe(200);
    expect(codes(await send([eventOf({ consentId: id })]))).toEqual([[0, 'agreement', '/data/consentId']]);
    const states = createMachineStates(database(), { keepMs: 31 * dayMs, maxPerDay: 1, now: () => nowMs });
    expect(await states.prune()).toBe(1);
    expect((await held()).events.map(({ data }) => (data as MachineStatus).consentId)).toContain(kept);
  });

  it('takes no more than a day may have, and goes on the next day', async () => {
    const states = createMachineStates(database(), { keepMs: dayMs, maxPerDay: 3, now: () => nowMs });
    const batch = (length: number) =>
      Array.from({ length }, () => {
        const { id, data } = eventOf();
        return { establishmentId: 'nm-01', eventId: id, data: data as MachineStatus };
      });
    const first = batch(2);
    expect(await states.keep(other.enterpriseId, first)).toEqual({ kind: 'kept', outcomes: ['accepted', 'accepted'] });
    expect(await states.keep(other.enterpriseId, batch(2))).toEqual({ kind: 'full' });
    expect(await states.keep(other.enterpriseId, [...first, ...batch(1)])).toMatchObject({ kind: 'kept' });
    expect(await states.keep(other.enterpriseId, first)).toEqual({ kind: 'kept', outcomes: ['repeated', 'repeated'] });
    advance(dayMs);
    expect(await states.keep(other.enterpriseId, batch(3))).toMatchObject({ kind: 'kept' });
  });

  describe('the document', () => {
    it('describes every field of the contract, closed', async () => {
      const { json } = await server.call('GET', '/v1/openapi.json');
      const paths = json.paths as Record<string, { post: { requestBody: { content: Record<string, { schema: unknown }> } } }>;
      const schema = paths['/v1/machine-status/events']?.post.requestBody.content['application/cloudevents-batch+json']?.schema;
      const { properties, required } = schemas.machineStatus;
      expect(schema).toMatchObject({
        maxItems: 500,
        items: { additionalProperties: false, properties: { data: { additionalProperties: false, required } } },
      });
      expect(JSON.stringify(schema)).not.toContain('$ref');
      for (const name of Object.keys(properties)) expect(JSON.stringify(schema)).toContain(`"${name}":`);
    });
  });

  it('does not migrate twice', async () => {
    expect(await migrate(database())).toBe(0);
  });
});
