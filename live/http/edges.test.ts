import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import type { EdgeCertificate, EdgeCertificates, EdgeConfiguration, SignedConfig } from '@nhip/core/wire/edge-control';
import type { EdgeHealth } from '@nhip/core/wire/live';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Rig, startRig } from '../testing/rig.ts';

const thumbprint = 'ab'.repeat(32);
const certificate: EdgeCertificate = {
  ...{
    thumbprint,
    subject: 'CN=press',
    uri: 'urn:press',
    endpoint: 'opc.tcp://10.0.0.1:4840',
    fromMs: 0,
    toMs: 4_102_444_800_000,
    state: 'waiting',
    sinceMs: 5,
  },
};
/** Longer than other texts may be on the board. */
const certificates: EdgeCertificates = {
  ...{ takesDecisions: true, approvalProblem: null, more: 2, last: null },
  certificates: [
    certificate,
    ...Array.from({ length: 9 }, (_, i) => ({ ...certificate, thumbprint: `${i}`.repeat(64), state: 'trusted' as const })),
  ],
};
const configuration: EdgeConfiguration = { source: 'file', sha256: 'cd'.repeat(32), version: 4, last: null };
const signed: SignedConfig = { edge: 'g/full', version: 5, config: 'connections: []', signature: 'AAAA' };

let rig: Rig;
let cookie: string;

/** An NBIRTH with these texts, or an NDEATH. */
async function say(edge: string, texts: Readonly<Record<string, unknown>> | null): Promise<void> {
  const timestampMs = Date.now();
  const bdSeq = { name: 'bdSeq', timestampMs, dataType: dataType.Int64, value: 0 };
  const metrics = Object.entries(texts ?? {}).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { name, timestampMs, dataType: dataType.String, value: text };
  });
  const payload = encodePayload({ timestampMs, ...(texts === null ? {} : { seq: 0 }), metrics: [bdSeq, ...metrics] });
  const topic = `spBv1.0/g/${texts === null ? 'NDEATH' : 'NBIRTH'}/${edge}`;
  await rig.logBus.append(encodeLogMessage({ receivedMs: timestampMs, sender: `g/${edge}`, topic, payload }));
}

beforeAll(async () => {
  rig = await startRig();
  cookie = await rig.login();
  await say('full', { 'Edge/Certificates': certificates, 'Edge/Configuration': configuration });
  await say('closed', { 'Edge/Certificates': { ...certificates, takesDecisions: false } });
  await say('writes', { 'Edge/Certificates': { ...certificates, approvalProblem: 'commandsEnabled' } });
  await say('plain', {});
  await say('odd', { 'Edge/Certificates': '{"takesDecisions":1}', 'Edge/Configuration': 'nonsense' });
  await say('away', { 'Edge/Certificates': certificates, 'Edge/Configuration': configuration });
  await say('away', null);
  await eventually(async () => ((await edges()).find(({ id, online }) => id === 'g/away' && !online) === undefined ? undefined : true));
});
afterAll(() => rig.close());

const call = (path: string, init: RequestInit = {}, headers: Record<string, string> = { cookie }) =>
  fetch(`${rig.url}/api/v1${path}`, { ...init, headers: { 'content-type': 'application/json', ...headers } });
const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  call(path, { method: 'POST', body: JSON.stringify(body) }, headers);
async function edges(): Promise<readonly EdgeHealth[]> {
  return ((await (await call('/health/edges')).json()) as { edges: EdgeHealth[] }).edges;
}
const answer = async (response: Response): Promise<unknown> => {
  const body = (await response.json()) as { detail?: string };
  return [response.status, body.detail ?? body];
};

describe('certificates of an edge', () => {
  it('are listed whole, and counted where they wait', async () => {
    expect(await answer(await call('/edges/g/full/certificates'))).toEqual([200, certificates]);
    const waiting = Object.fromEntries((await edges()).map(({ id, certificatesWaiting }) => [id, certificatesWaiting]));
    expect(waiting).toEqual({ 'g/full': 1, 'g/closed': 1, 'g/writes': 1, 'g/plain': null, 'g/odd': null, 'g/away': 1 });
    for (const edge of ['plain', 'odd', 'nobody']) expect((await call(`/edges/g/${edge}/certificates`)).status).toBe(404);
    expect((await call('/edges/g/full/certificates', {}, {})).status).toBe(401);
  });

  it('are no longer told when a newer birth does not', async () => {
    await say('changed', { 'Edge/Certificates': certificates });
    await eventually(async () => ((await call('/edges/g/changed/certificates')).ok ? true : undefined));
    await say('changed', {});
    await eventually(async () => ((await call('/edges/g/changed/certificates')).status === 404 ? true : undefined));
  });

  it('are decided on: the edge gets it, nobody else', async () => {
    const sent = rig.sent.length;
    expect(await answer(await post('/edges/g/full/certificates/decision', { thumbprint, decision: 'approve' }))).toEqual([
      200,
      { sent: true },
    ]);
    expect(rig.sent.length).toBe(sent + 1);
    const { edge, payload } = rig.sent.at(-1) ?? { edge: '', payload: new Uint8Array() };
    expect(edge).toBe('g/full');
    const [metric] = decodePayload(payload).metrics;
    expect([metric?.name, JSON.parse(String(metric?.value))]).toEqual(['Certificate/Decision', { thumbprint, decision: 'approve' }]);
  });

  it.each([
    ['full', { thumbprint: 'AB', decision: 'approve' }, 400, 'thumbprint'],
    ['full', { thumbprint, decision: 'maybe' }, 400, 'decision'],
    ['full', { thumbprint, decision: 'approve', role: 'admin' }, 400, 'role'],
    ['full', { thumbprint: 'f'.repeat(64), decision: 'approve' }, 409, 'a server must have shown it'],
    ['closed', { thumbprint, decision: 'approve' }, 409, 'remote.certificates: true'],
    ['writes', { thumbprint, decision: 'approve' }, 409, 'nhip edge trust add'],
    ['away', { thumbprint, decision: 'approve' }, 409, 'offline'],
    ['plain', { thumbprint, decision: 'approve' }, 404, 'no connection whose servers'],
    ['nobody', { thumbprint, decision: 'approve' }, 404, 'no edge agent'],
  ])('are not decided on when that cannot be: %s %j', async (edge, body, status, detail) => {
    const sent = rig.sent.length;
    expect(await answer(await post(`/edges/g/${edge}/certificates/decision`, body))).toEqual([status, expect.stringContaining(detail)]);
    expect(rig.sent.length).toBe(sent);
  });

  it('may be refused although they may not be trusted from here', async () => {
    expect((await post('/edges/g/writes/certificates/decision', { thumbprint, decision: 'reject' })).status).toBe(200);
  });
});

describe('the configuration of an edge', () => {
  it('is told, and a signed one passed on as it is', async () => {
    expect(await answer(await call('/edges/g/full/config'))).toEqual([200, configuration]);
    expect(await answer(await post('/edges/g/full/config', signed))).toEqual([200, { sent: true }]);
    const [metric] = decodePayload(rig.sent.at(-1)?.payload ?? new Uint8Array()).metrics;
    expect([metric?.name, JSON.parse(String(metric?.value))]).toEqual(['Config/Push', signed]);
  });

  it.each([
    ['full', { ...signed, edge: 'g/other' }, 400, 'signed for g/other'],
    ['full', { ...signed, version: 4 }, 409, 'version 4 already'],
    ['full', { ...signed, version: 1.5 }, 400, 'version'],
    ['full', { ...signed, config: 'x'.repeat(196_700) }, 400, 'config'],
    ['full', { ...signed, config: '"'.repeat(120_000) }, 413, 'characters'],
    ['full', { ...signed, config: 'x'.repeat(300_000) }, 413, ''],
    ['away', { ...signed, edge: 'g/away' }, 409, 'offline'],
    ['closed', { ...signed, edge: 'g/closed' }, 404, 'remote.configKeyFile'],
  ])('is not passed on when that makes no sense: %s', async (edge, body, status, detail) => {
    const sent = rig.sent.length;
    expect(await answer(await post(`/edges/g/${edge}/config`, body))).toEqual([status, expect.stringContaining(detail)]);
    expect(rig.sent.length).toBe(sent);
  });
});

describe('who may not', () => {
  it.each([
    ['/edges/g/full/certificates/decision', { thumbprint, decision: 'approve' }],
    ['/edges/g/full/config', signed],
  ])('changes nothing at an edge: %s', async (path, body) => {
    const sent = rig.sent.length;
    expect((await post(path, body, {})).status).toBe(401);
    expect((await post(path, body, { cookie, origin: 'https://elsewhere.example' })).status).toBe(403);
    expect(rig.sent.length).toBe(sent);
    const demo = await startRig({ config: { demo: true } });
    expect(
      (
        await fetch(`${demo.url}/api/v1${path}`, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(403);
    await demo.close();
  });
});
