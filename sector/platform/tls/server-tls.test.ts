import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Authority, type IssuedCertificate, makeAuthority } from '../../../test/harness/authority.ts';
import { platformConfig } from '../config.ts';
import { createSectorServer, type SectorServer } from '../server.ts';
import { makeTestCluster } from '../testing/test-database.ts';
import { readServerTls } from './server-tls.ts';

let folder: string;
let authority: Authority;
let own: IssuedCertificate;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-sector-server-'));
  authority = makeAuthority(join(folder, 'authority'));
  own = authority.issue('server', 'server');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (given: object) => readServerTls(platformConfig.parse(given));
const make = (given: object): SectorServer => {
  const endProcess = (error: Error): never => {
    throw error;
  };
  const real = createNodeClock();
  const clock = { ...real, sleep: (_: number, signal?: AbortSignal) => real.sleep(20, signal) };
  const deps = { clock, log: silentLog(), version: '0.0.0', endProcess };
  return createSectorServer(join(folder, 'data'), platformConfig.parse({ port: 0, ...given }), deps);
};

it('lets nobody on other computers in unencrypted, unless a proxy is said to be there', async () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'sector.example.vn', '127.0.0.1.example.vn']) {
    expect(() => read({ host }), host).toThrow(/set tls, or behindProxy/);
  }
  await expect(make({ host: '0.0.0.0' }).start()).rejects.toThrow(/set tls, or behindProxy/);
  for (const given of [{}, { host: 'localhost' }, { host: '::1' }, { host: '0.0.0.0', behindProxy: true }]) {
    expect(read(given)).toEqual({ options: undefined, mode: 'off' });
  }
});

it('asks for certificates only with an authority, and then of everybody unless told otherwise', () => {
  const { certFile, keyFile } = own;
  expect(read({ host: '0.0.0.0', tls: { certFile, keyFile } }).mode).toBe('off');
  expect(read({ tls: { certFile, keyFile, clientCaFile: authority.caFile } }).mode).toBe('required');
  expect(read({ tls: { certFile, keyFile, clientCaFile: authority.caFile, clientCertificate: 'optional' } }).mode).toBe('optional');
});

it('says which file is not good', () => {
  const { certFile, keyFile } = own;
  const text = join(folder, 'text.pem');
  writeFileSync(text, 'x', { mode: 0o600 });
  const other = authority.issue('other', 'server').keyFile;
  expect(() => read({ tls: { certFile: join(folder, 'none'), keyFile } })).toThrow(/tls\.certFile: .*none cannot be read/);
  expect(() => read({ tls: { certFile: text, keyFile } })).toThrow(/tls\.certFile: .*text\.pem is no certificate/);
  expect(() => read({ tls: { certFile, keyFile: other } })).toThrow(/tls\.keyFile: .*is not the key of/);
  expect(() => read({ tls: { certFile, keyFile, clientCaFile: text } })).toThrow(/tls\.clientCaFile: .*text\.pem is no certificate/);
  chmodSync(keyFile, 0o644);
  expect(() => read({ tls: { certFile, keyFile } })).toThrow(/others can read it/);
});

it('serves the API over TLS, and takes a renewed certificate while it runs', async () => {
  const { certFile, keyFile } = authority.issue('served', 'server');
  const server = make({ tls: { certFile, keyFile } });
  const cluster = await makeTestCluster();
  mkdirSync(join(folder, 'data'));
  renameSync(cluster, join(folder, 'data', 'database'));
  await server.start();
  const statusFor = (ca: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const url = `https://127.0.0.1:${server.port()}/health/ready`;
      request(url, { ca, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
  expect(await statusFor(authority.ca)).toBe(200);

  const other = makeAuthority(join(folder, 'other'));
  const renewed = other.issue('renewed', 'server');
  writeFileSync(certFile, renewed.cert);
  writeFileSync(keyFile, renewed.key);
  await vi.waitFor(async () => expect(await statusFor(other.ca)).toBe(200), { timeout: 10_000 });
  await expect(statusFor(authority.ca)).rejects.toThrow(/certificate/);
  await server.stop();
});
