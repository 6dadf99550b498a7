import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EdgeCertificates, EdgeConfiguration } from '@nhip/core/wire/edge-control';
import { startOpcuaServer, type TestOpcuaServer } from '@nhip/edge-agent/testing/opcua-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../harness/free-port.ts';
import { hasInfluxd, type Influxd, startInfluxd } from '../harness/influxd.ts';
import { nhip, runNhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge } from '../harness/plant.ts';
import { createRole, type Role } from '../harness/role.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';

const node = 'nsu=urn:plant;s=Speed';
const password = 'test-admin-password';
const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;

let data: DataFolder;
let opcua: TestOpcuaServer;
let influxd: Influxd;
let roles: Readonly<Record<'broker' | 'ingest' | 'live' | 'edge', Role>>;
let http: number;

const api = createServerApi(() => http);
const inFolder = (name: string): string => join(data.path, 'config', name);
const cell = (id: string) => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: opcua.endpoint,
  securityMode: 'SignAndEncrypt',
  devices: [{ id, intervalMs: 100, tags: [{ metric: 'Speed', node, dataType: 'Double' }] }],
});

beforeAll(async () => {
  if (!hasInfluxd) return;
  data = makeDataFolder();
  opcua = await startOpcuaServer({ namespaces: ['urn:plant'], nodes: [{ node, dataType: 'Double', value: 12.5 }] });
  influxd = await startInfluxd(join(data.path, 'influxdb'));
  const [mqtt, live] = [await freePort(), await freePort()];
  http = live;
  const config = join(data.path, 'server.yaml');
  writeFileSync(config, stringify({ store: { type: 'influxdb', url: influxd.url, ...influxd.access } }));
  const start = (role: string, ...flags: readonly string[]) => nhip([role, '--config', config, '--data', data.path, '--json', ...flags]);
  const remote = { certificates: true, configKeyFile: 'operator.pub' };
  const prepared = await prepareEdge(data, 'e', mqtt, [cell('press')], { remote });
  expect((await runNhip(['edge', 'config', 'keygen', inFolder('operator')])).code).toBe(0);
  roles = {
    broker: createRole('broker', () => start('broker', '--mqtt-port', String(mqtt))),
    ingest: createRole('ingest', () => start('ingest')),
    live: createRole('live', () => start('live', '--http-port', String(http), '--demo')),
    edge: createRole('edge', () => prepared.start()),
  };
  for (const role of [roles.broker, roles.ingest, roles.live, roles.edge]) await role.start();
});
afterAll(async () => {
  for (const role of roles === undefined ? [] : [roles.edge, roles.live, roles.ingest, roles.broker]) await role.stop();
  await opcua?.stop();
  await influxd?.kill();
  data?.remove();
});

async function ask<Answer>(path: string): Promise<Answer | undefined> {
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/edges/g/e${path}`);
  return response.ok ? ((await response.json()) as Answer) : undefined;
}

async function push(number: number, device: string): Promise<string> {
  const [file, out] = [inFolder('next.yaml'), inFolder('next.signed')];
  writeFileSync(file, stringify({ connections: [cell(device)] }));
  const flags = ['--key', inFolder('operator'), '--out', out, '--edge', 'g/e', '--number', String(number)];
  expect((await runNhip(['edge', 'config', 'sign', file, ...flags])).code).toBe(0);
  const server = ['--url', `http://127.0.0.1:${http}`, '--user', 'admin'];
  const { stdout, stderr } = await runNhip(['edge', 'config', 'push', out, ...server], { env: { NHIP_PASSWORD: password } });
  return stdout + stderr;
}

describe.skipIf(!hasInfluxd)('what live asks of an edge, with roles apart (needs influxd: apt-get install influxdb)', () => {
  it('a decision on a certificate reaches the edge through the broker, and its answer comes back', async () => {
    const state = async () => (await ask<EdgeCertificates>('/certificates'))?.certificates[0]?.state;
    await until('the certificate waits', async () => (await state()) === 'waiting');
    const thumbprint = createHash('sha256').update(opcua.server.getCertificate()).digest('hex');
    const decided = await fetch(`http://127.0.0.1:${http}/api/v1/edges/g/e/certificates/decision`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ thumbprint, decision: 'approve' }),
    });
    expect(decided.status).toBe(200);
    await until('the certificate is trusted', async () => (await state()) === 'trusted');
    await until('the value', async () => (await api.value('g/e/press', 'Speed')) === 12.5, 60_000);
  });

  it('so does a configuration, also after live, the broker and the edge were killed and started again', async () => {
    let version = 10;
    for (const role of [roles.live, roles.broker, roles.edge]) {
      await role.crash();
      const device = `lathe-${++version}`;
      let said = '';
      // Until its session is open again the edge is offline, and nothing is kept for it.
      await until(
        'the edge was there to be told',
        async () => {
          said = await push(version, device);
          return !said.includes('is offline');
        },
        60_000,
      );
      expect(said).toBe(`version ${version} for g/e is in use\n`);
      await until(`values of ${device}`, async () => (await api.value(`g/e/${device}`, 'Speed')) === 12.5, 60_000);
      expect(await ask<EdgeConfiguration>('/config')).toMatchObject({ source: 'pushed', version });
    }
    expect(Object.values(roles).flatMap(({ problems }) => problems)).toEqual([]);
  });
});
