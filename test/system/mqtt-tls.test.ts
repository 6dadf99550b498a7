import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Authority, type IssuedCertificate, makeAuthority } from '../harness/authority.ts';
import type { Process } from '../harness/nhip.ts';
import { addDevice, type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);

let data: DataFolder;
let folder: string;
let authority: Authority;
let other: Authority;
let shown: IssuedCertificate;
let server: Process;
let ports: { readonly http: number; readonly mqtt: number; readonly mqttTls: number };
const running: Process[] = [];
const api = createServerApi(() => ports.http);

beforeAll(async () => {
  data = makeDataFolder();
  folder = mkdtempSync(join(tmpdir(), 'nhip-mqtt-tls-'));
  authority = makeAuthority(join(folder, 'authority'));
  other = makeAuthority(join(folder, 'other'));
  shown = authority.issue('broker', 'server');
  const config = join(folder, 'authority', 'server.yaml');
  // Names in a configuration are relative to it.
  writeFileSync(config, stringify({ broker: { tls: { port: 0, certFile: 'broker.pem', keyFile: 'broker.key' } } }));
  server = startServer(data, {}, ['--demo', '--config', config]);
  const { http = 0, mqtt = 0, mqttTls = 0 } = await server.ready;
  ports = { http, mqtt, mqttTls };
});
afterAll(async () => {
  for (const each of running) await each.stop();
  await server?.stop();
  data?.remove();
  rmSync(folder, { recursive: true });
});

async function startEdge(id: string, caFile: string): Promise<Process> {
  const mqtt = { url: `mqtts://127.0.0.1:${ports.mqttTls}`, caFile };
  const edge = (await prepareEdge(data, id, 0, [], { mqtt })).start();
  running.push(edge);
  return edge;
}

const isOnline = async (id: string): Promise<boolean> => (await api.edge(`g/${id}`))?.online ?? false;

describe('MQTT over TLS, real processes', () => {
  it('an edge that trusts the authority is there; one that does not says what to do, and gets in once that is done', async () => {
    await startEdge('e1', authority.caFile);
    await until('the edge is online', () => isOnline('e1'));
    const distrusting = await startEdge('e2', other.caFile);
    await until('the edge says why', () =>
      distrusting.stderr().includes('give the authority that signed the broker’s certificate as mqtt.caFile'),
    );
    expect(await isOnline('e2')).toBe(false);
    await distrusting.stop();
    await startEdge('e2', authority.caFile);
    await until('the edge is online', () => isOnline('e2'));
  });

  it.skipIf(!existsSync('/usr/bin/mosquitto_pub'))(
    'mosquitto_pub (Debian mosquitto-clients) publishes with the authority, not without',
    async () => {
      const { username, password } = await addDevice(data, 'g/mosq');
      const to = ['-h', '127.0.0.1', '-p', String(ports.mqttTls), '-u', username, '-P', password, '-q', '1', '-t', 'json/g/mosq/pump'];
      const message = ['-m', '{"values":{"Flow":12.5}}'];
      await run('mosquitto_pub', [...to, '--cafile', authority.caFile, ...message]);
      await expect(run('mosquitto_pub', [...to, '--cafile', other.caFile, ...message])).rejects.toThrow();
      await expect(run('mosquitto_pub', [...to, ...message])).rejects.toThrow();
    },
  );

  it('a renewed certificate is taken without a restart, and no edge loses its session', async () => {
    const renewed = other.issue('renewed', 'server');
    writeFileSync(shown.certFile, renewed.cert);
    writeFileSync(shown.keyFile, renewed.key);
    await until('the server takes it', () => server.stderr().includes('New certificate taken'), 30_000);
    await startEdge('e3', other.caFile);
    await until('an edge that trusts the new one is online', () => isOnline('e3'));
    expect(await isOnline('e1')).toBe(true);
    expect(running[0]?.stderr()).not.toContain('No session');
  });
});
