import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Authority, makeAuthority } from '../test/harness/authority.ts';
import { openCredentials } from './auth/credentials.ts';
import { createBroker } from './broker.ts';
import { brokerConfig } from './config.ts';

const host = '127.0.0.1';
/** Also this computer (Linux), and not where the plain port listens. */
const tlsHost = '127.0.0.2';

let folder: string;
let authority: Authority;
let other: Authority;
const certFile = (): string => join(folder, 'broker.pem');
const keyFile = (): string => join(folder, 'broker.key');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-broker-tls-'));
  authority = makeAuthority(join(folder, 'authority'));
  other = makeAuthority(join(folder, 'other'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function show(by: Authority, name: string): void {
  const issued = by.issue(name, 'server');
  copyFileSync(issued.certFile, certFile());
  copyFileSync(issued.keyFile, keyFile());
}

const undo: (() => unknown)[] = [];
let logged: string[];
let port: number;
let tlsPort: number;
let login: { readonly username: string; readonly password: string };

beforeEach(async () => {
  show(authority, 'first');
  const dir = mkdtempSync(join(folder, 'data-'));
  const env = createNodeEnv(dir);
  logged = [];
  const note = (...line: readonly unknown[]): void => void logged.push(JSON.stringify(line));
  const log = Object.assign(silentLog(), { info: note, warn: note, error: note });
  const logBus = await openSegmentLog(env, 'log', { commitDelayMs: 1, maxBytes: 67_108_864, readers: [], log });
  const credentials = openCredentials(join(dir, 'credentials.json'), () => undefined);
  login = credentials.add('g/e', 0);
  const clock = { ...env.clock, sleep: (_: number, signal?: AbortSignal) => env.clock.sleep(20, signal) };
  const tls = { host: tlsHost, port: 0, certFile: certFile(), keyFile: keyFile() };
  const config = brokerConfig.parse({ host, port: 0, tls, connectTimeoutMs: 2000 });
  const broker = createBroker(config, { clock, log, logBus, credentials });
  undo.push(
    () => logBus.close(),
    () => broker.stop(),
  );
  const ports = await broker.start();
  ({ port } = ports);
  tlsPort = ports.tlsPort ?? 0;
});

afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** Certificates of the tests are for 127.0.0.1. */
async function client(ca: string | undefined, options: IClientOptions = {}): Promise<MqttClient> {
  const trust = ca === undefined ? {} : { ca };
  const identity = { checkServerIdentity: () => undefined };
  const given = { ...login, ...trust, ...identity, reconnectPeriod: 0, connectTimeout: 5000, ...options };
  const made = await connectAsync(`mqtts://${tlsHost}:${tlsPort}`, given, false);
  undo.push(() => made.endAsync(true));
  return made;
}

function rawSocket(toHost: string, toPort: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(toPort, toHost, () => resolve(socket));
    socket.on('error', reject);
    undo.push(() => socket.destroy());
  });
}

it('serves who trusts its certificate, at an address of its own, and the plain port stays on loopback', async () => {
  const trusting = await client(authority.ca);
  await trusting.publishAsync('spBv1.0/g/NDATA/e', 'a', { qos: 1 });
  await expect(client(undefined)).rejects.toThrow(/certificate/);
  await expect(client(other.ca)).rejects.toThrow(/certificate/);
  await expect(client(authority.ca, { password: 'wrong' })).rejects.toThrow(/Not authorized|Bad username/i);
  await expect(rawSocket(tlsHost, port)).rejects.toThrow(/ECONNREFUSED/);
  await rawSocket(host, port);
});

it('closes plain MQTT on the port of TLS, and others go on', async () => {
  const trusting = await client(authority.ca);
  await expect(
    connectAsync(`mqtt://${tlsHost}:${tlsPort}`, { ...login, reconnectPeriod: 0, connectTimeout: 5000 }, false),
  ).rejects.toThrow();
  await trusting.publishAsync('spBv1.0/g/NDATA/e', 'a', { qos: 1 });
});

it('takes a renewed certificate while it runs, keeps who is connected, and keeps the old one when the new is no good', async () => {
  const before = await client(authority.ca);
  const both = `${authority.ca}${other.ca}`;
  await (await client(both, { clientId: 'both' })).endAsync(true);
  show(other, 'renewed');
  await vi.waitFor(() => expect(logged.join()).toContain('New certificate taken'), { timeout: 10_000 });
  const after = await client(other.ca, { clientId: 'after' });
  await expect(client(authority.ca, { clientId: 'distrusting' })).rejects.toThrow(/certificate/);
  await client(both, { clientId: 'both' });
  await before.publishAsync('spBv1.0/g/NDATA/e', 'a', { qos: 1 });

  writeFileSync(keyFile(), 'rubbish');
  await vi.waitFor(() => expect(logged.join()).toContain('the one before stays'), { timeout: 10_000 });
  expect(logged.join()).toContain(`broker.tls.keyFile: ${keyFile()} is no private key`);
  await after.endAsync(true);
  await client(other.ca, { clientId: 'after' });
});

it('lets nobody keep clients out by handshakes that do not begin', async () => {
  const idle = await Promise.all(Array.from({ length: 300 }, () => rawSocket(tlsHost, tlsPort)));
  const closed = () => idle.filter((socket) => socket.destroyed || socket.readableEnded).length;
  for (const socket of idle) socket.resume();
  await client(authority.ca);
  expect(closed()).toBeGreaterThanOrEqual(44);
  await vi.waitFor(() => expect(closed()).toBe(300), { timeout: 10_000 });
});
