import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EdgeCertificates, EdgeConfiguration } from '@nhip/core/wire/edge-control';
import { startOpcuaServer, type TestOpcuaServer } from '@nhip/edge-agent/testing/opcua-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Process, runNhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, type PreparedEdge, prepareEdge, startServer } from '../harness/plant.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';

const node = 'nsu=urn:plant;s=Speed';
const admin = `Basic ${Buffer.from('admin:test-admin-password').toString('base64')}`;

let data: DataFolder;
let server: Process;
let opcua: TestOpcuaServer;
let prepared: PreparedEdge;
let edge: Process;
let http = 0;
const api = createServerApi(() => http);

const tag = { metric: 'Speed', node, dataType: 'Double' };
const cell = (id: string, more: object = {}) => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: opcua.endpoint,
  securityMode: 'SignAndEncrypt',
  devices: [{ id, intervalMs: 100, tags: [{ ...tag, ...more }] }],
});

async function ask<Answer>(path: string): Promise<Answer | undefined> {
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/edges/g/e${path}`);
  return response.ok ? ((await response.json()) as Answer) : undefined;
}
const certificates = () => ask<EdgeCertificates>('/certificates');
const configuration = () => ask<EdgeConfiguration>('/config');
const stateIs = (state: string) =>
  until(`the certificate is ${state}`, async () => (await certificates())?.certificates[0]?.state === state);

async function decide(thumbprint: string, decision: string, authorization?: string): Promise<number> {
  const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  const url = `http://127.0.0.1:${http}/api/v1/edges/g/e/certificates/decision`;
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ thumbprint, decision }) })).status;
}

const inFolder = (name: string): string => join(data.path, 'config', name);

/** Signs a document by the command and pushes it by the command: exit code and what it said. */
async function push(
  number: number,
  document: object,
  key = 'operator',
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  const [file, out] = [inFolder('next.yaml'), inFolder('next.signed')];
  writeFileSync(file, stringify(document));
  const flags = ['--key', inFolder(key), '--out', out, '--edge', 'g/e', '--number', String(number)];
  const signed = await runNhip(['edge', 'config', 'sign', file, ...flags]);
  if (signed.code !== 0) throw new Error(signed.stderr);
  return runNhip(['edge', 'config', 'push', out, '--data', data.path]);
}

beforeAll(async () => {
  data = makeDataFolder();
  opcua = await startOpcuaServer({ namespaces: ['urn:plant'], nodes: [{ node, dataType: 'Double', value: 12.5 }] });
  server = startServer(data);
  const ready = await server.ready;
  http = ready.http ?? 0;
  const remote = { certificates: true, configKeyFile: 'operator.pub' };
  prepared = await prepareEdge(data, 'e', ready.mqtt ?? 0, [cell('press')], { remote });
  for (const key of ['operator', 'stranger']) expect((await runNhip(['edge', 'config', 'keygen', inFolder(key)])).code).toBe(0);
  edge = prepared.start();
  await edge.ready;
});
afterAll(async () => {
  await edge?.stop();
  await server?.stop();
  await opcua?.stop();
  data?.remove();
});

describe('an edge agent that may be told from the server', () => {
  it('connects to a server whose certificate an administrator trusted, and to no other', async () => {
    await stateIs('waiting');
    const thumbprint = createHash('sha256').update(opcua.server.getCertificate()).digest('hex');
    expect(await certificates()).toMatchObject({
      takesDecisions: true,
      approvalProblem: null,
      certificates: [{ thumbprint, endpoint: opcua.endpoint }],
    });
    // The demo lets this computer look, not change.
    expect(await decide(thumbprint, 'approve')).toBe(403);
    expect(await decide(thumbprint, 'approve', admin)).toBe(200);
    await stateIs('trusted');
    expect(await certificates()).toMatchObject({ last: { thumbprint, outcome: 'approved' } });
    await until('the value', async () => (await api.value('g/e/press', 'Speed')) === 12.5, 60_000);
    expect(server.stderr() + server.stdout()).toMatch(/"audit":"certificate","by":"admin","edge":"g\/e"/);
  });

  it('runs connections that its operator signed, and says so', async () => {
    const pushed = await push(10, { connections: [cell('lathe')] });
    expect(pushed.stdout).toBe('version 10 for g/e is in use\n');
    expect(pushed.code).toBe(0);
    await until('the value', async () => (await api.value('g/e/lathe', 'Speed')) === 12.5, 60_000);
    expect(await configuration()).toMatchObject({ source: 'pushed', version: 10, last: { version: 10, outcome: 'applied' } });
  });

  it.each([
    ['another key', 11, () => ({ connections: [cell('x')] }), 'stranger', 'the signature is not by the key'],
    [
      'another broker',
      12,
      () => ({ mqtt: { url: 'mqtt://10.0.0.1' }, connections: [cell('x')] }),
      'operator',
      'mqtt: is not as in the file',
    ],
    ['a writable tag', 13, () => ({ connections: [cell('x', { writable: true })] }), 'operator', 'it has writable tags'],
    ['a fault', 14, () => ({ connections: [{ id: 'cell', driver: 'nothing' }] }), 'operator', 'nothing'],
  ] as const)('refuses %s and tells why; the old one goes on', async (_, number, document, key, reason) => {
    const pushed = await push(number, document(), key);
    expect(pushed.stdout).toContain(`version ${number} for g/e is refused, the old one goes on: `);
    expect(pushed.stdout).toContain(reason);
    expect(pushed.code).toBe(1);
    expect(await configuration()).toMatchObject({ source: 'pushed', version: 10, last: { version: number, outcome: 'refused' } });
    opcua.set(node, number);
    await until('a new value', async () => (await api.value('g/e/lathe', 'Speed')) === number);
  });

  it('runs them after a restart, takes no old version, and goes back when its own file is changed', async () => {
    await edge.stop();
    edge = prepared.start();
    await edge.ready;
    await until('the restart', async () => {
      const told = await configuration();
      return told?.source === 'pushed' && told.last === null;
    });
    const old = await runNhip(['edge', 'config', 'push', inFolder('next.signed'), '--data', data.path]);
    expect(old.stdout).toContain('nothing');
    // Version 10 again, signed: the server says so already, the edge would.
    const { code, stderr } = await runNhip([
      ...['edge', 'config', 'sign', inFolder('next.yaml'), '--key', inFolder('operator'), '--out', inFolder('old.signed')],
      ...['--edge', 'g/e', '--number', '10'],
    ]);
    expect([code, stderr]).toEqual([0, '']);
    const again = await runNhip(['edge', 'config', 'push', inFolder('old.signed'), '--data', data.path]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('accepted version 10 already')]);
    prepared.configure([cell('drill')]);
    await until('the file is in use', async () => (await configuration())?.source === 'file');
    await until('the value', async () => (await api.value('g/e/drill', 'Speed')) === 14, 60_000);
  });

  it('does not connect again to a server that an administrator refused', async () => {
    const [seen] = (await certificates())?.certificates ?? [];
    expect(await decide(seen?.thumbprint ?? '', 'reject', admin)).toBe(200);
    await stateIs('rejected');
    prepared.configure([cell('mill')]);
    await until('the refusal', async () => /server's certificate was rejected here/.test(edge.stderr() + edge.stdout()), 60_000);
    expect(await api.value('g/e/mill', 'Speed')).toBeUndefined();
  });
});
