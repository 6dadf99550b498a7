import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { MessageSecurityMode, UserTokenType } from 'node-opcua-client';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DriverDeps } from '../../driver.ts';
import { listenLocally } from '../../testing/listen-locally.ts';
import { followDriver, makeDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { smallNodeSets, startOpcuaServer, type TestOpcuaServer, type TestServerOptions } from '../../testing/opcua-server.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { describeCertificate, listCertificates, ownCertificate, reject, trust } from './trust.ts';

const never = new AbortController().signal;
const node = 'nsu=urn:plant;s=Speed';
let folder: string;
let deps: DriverDeps;
let server: TestOpcuaServer;
const lines: string[] = [];

const start = (options: Partial<TestServerOptions>): Promise<TestOpcuaServer> =>
  startOpcuaServer({
    namespaces: ['urn:plant'],
    nodes: [{ node, dataType: 'Double', value: 12.5 }],
    nodeSets: smallNodeSets(),
    pkiFolder: join(folder, 'server'),
    users: { anna: 'very-secret' },
    ...options,
  });
const config = (more: object = {}): object => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: server.endpoint,
  securityMode: 'SignAndEncrypt',
  devices: [{ id: 'd', intervalMs: 50, tags: [{ metric: 'Speed', node, dataType: 'Double' }] }],
  ...more,
});
const connects = async (of: object): Promise<void> => {
  const { driver, last } = await followDriver(of, deps);
  await waitFor('the value', () => last('Speed')?.value === 12.5);
  await driver.close();
};
const refusal = async (of: object): Promise<string> => {
  const driver = await makeDriver(of, deps);
  const error: unknown = await driver.connect(never).then(
    () => new Error('it connected'),
    (cause: unknown) => cause,
  );
  await driver.close();
  // Nothing of the error that a log would print may carry a secret.
  const { message, cause, stack } = error as Error;
  lines.push(JSON.stringify([message, cause, stack, error]));
  return message;
};
const only = async (): Promise<string> => {
  const [certificate, ...others] = await listCertificates(deps.stateDir);
  expect(others).toEqual([]);
  return certificate?.thumbprintSha256 ?? '';
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-trust-'));
  server = await start({});
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the trust in servers', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    const stateDir = await mkdtemp(join(folder, 'agent-'));
    deps = { ...opcuaDeps(stateDir), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
  });

  it('refuses a server until a person trusts it, and again when the person refuses it', async () => {
    expect(await listCertificates(deps.stateDir)).toEqual([]);
    expect(await ownCertificate(deps.stateDir)).toBeUndefined();
    expect(await refusal(config())).toMatch(/waits for a decision: .*SHA-256 [0-9a-f]{64}/);
    const [seen] = await listCertificates(deps.stateDir);
    const own = server.server.getCertificate();
    expect(seen).toMatchObject({
      state: 'waiting',
      thumbprint: new X509Certificate(own).fingerprint.replaceAll(':', '').toLowerCase(),
      thumbprintSha256: new X509Certificate(own).fingerprint256.replaceAll(':', '').toLowerCase(),
      subject: expect.stringContaining('CN='),
      endpoint: server.endpoint,
    });
    expect((seen?.validToMs ?? 0) - (seen?.validFromMs ?? 0)).toBeGreaterThan(86_400_000);
    // No decision: refused again and again, listed once.
    expect(await refusal(config())).toContain('waits for a decision');
    await trust(deps.stateDir, new X509Certificate(own).fingerprint);
    expect((await listCertificates(deps.stateDir)).map(({ state }) => state)).toEqual(['trusted']);
    await connects(config());
    await reject(deps.stateDir, (await only()).slice(0, 8).toUpperCase());
    expect((await listCertificates(deps.stateDir)).map(({ state }) => state)).toEqual(['rejected']);
    expect(await refusal(config())).not.toContain('waits for a decision');
    expect((await listCertificates(deps.stateDir)).map(({ state }) => state)).toEqual(['rejected']);
    await trust(deps.stateDir, await only());
    await connects(config());
  });

  it('says where to look when the server does not offer the wanted security', async () => {
    const open = await start({ pkiFolder: join(folder, 'open server'), securityModes: [MessageSecurityMode.None] });
    try {
      expect(await refusal(config({ endpoint: open.endpoint }))).toBe(
        `${open.endpoint}: it offers no endpoint with the securityMode and securityPolicy of this connection; \`nhip edge scan ${open.endpoint}\` lists what it offers`,
      );
    } finally {
      await open.stop();
    }
  });

  it('says what to do where the server lets nobody in without a login, and where it refuses the user', async () => {
    const closed = await start({ pkiFolder: join(folder, 'closed') });
    for (const { userIdentityTokens } of closed.server.endpoints.flatMap((endpoint) => endpoint.endpointDescriptions())) {
      const anonymous = userIdentityTokens?.findIndex(({ tokenType }) => tokenType === UserTokenType.Anonymous) ?? -1;
      if (anonymous >= 0) userIdentityTokens?.splice(anonymous, 1);
    }
    const of = { endpoint: closed.endpoint, securityMode: 'None' };
    expect(await refusal(config(of))).toContain('it lets nobody in without a login; give the connection a username');
    expect(await refusal(config({ ...of, username: 'anna', password: 'wrong' }))).toContain('the server does not let this user in');
    await closed.stop();
  });

  it('names the file to trust where the server refuses the certificate of the agent', async () => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    const strict = await start({ pkiFolder: join(folder, 'strict') });
    Object.assign(strict.server.serverCertificateManager, { automaticallyAcceptUnknownCertificate: false });
    await refusal(config({ endpoint: strict.endpoint }));
    for (const { thumbprintSha256 } of await listCertificates(deps.stateDir)) await trust(deps.stateDir, thumbprintSha256);
    const own = await ownCertificate(deps.stateDir);
    expect(await refusal(config({ endpoint: strict.endpoint }))).toContain(own?.file);
    await strict.stop();
  });

  it('guesses it where the server only hangs up, as open62541 does', async () => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    const hangsUp = createServer((near) => {
      const far = connect(server.port, '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => {});
      near.on('data', (bytes) => {
        if (bytes.toString('latin1').includes('#Basic256Sha256')) near.destroy();
        else far.write(bytes);
      });
      near.on('close', () => far.destroy());
      far.pipe(near);
    });
    const endpoint = `opc.tcp://127.0.0.1:${await listenLocally(hangsUp)}`;
    expect(await refusal(config({ endpoint }))).toMatch(/perhaps the server does not trust the agent's certificate \(.*SHA-256/);
    await new Promise((resolve) => hangsUp.close(resolve));
  });

  it('names the certificate of the server that was tried, when several wait', async () => {
    const other = await start({ pkiFolder: join(folder, 'another server') });
    try {
      for (const { endpoint, server: shown } of [server, other, server]) {
        const thumbprint = new X509Certificate(shown.getCertificate()).fingerprint256.replaceAll(':', '').toLowerCase();
        expect(await refusal(config({ endpoint }))).toContain(thumbprint);
      }
    } finally {
      await other.stop();
    }
  });

  it('shows no character of a certificate that turns text around or hides', () => {
    // Its CN is press, RIGHT-TO-LEFT OVERRIDE, gro.live, ZERO WIDTH SPACE.
    const der = [
      'MIIBkTCCATegAwIBAgIUBTWRxDmlFcCBA9fVAw2NnjEhBwwwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTcHJlc3PigK5ncm8ubGl2ZeKAizAeFw0yNjExMjIw',
      'NTIwNTRaFw0yNjEyMDIwNTIwNTRaMB4xHDAaBgNVBAMME3ByZXNz4oCuZ3JvLmxpdmXigIswWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARxcIlANn9wTDxh',
      'cR3Oo/y6UI4feBxuG2ER1Iu1sdIu19dm8CBz0dqDtxjvEEXm+utFtkPnkQoZPeI/wf6eL+p+o1MwUTAdBgNVHQ4EFgQUx3wwmlemx11kqi24R3iHzQv0p1Iw',
      'HwYDVR0jBBgwFoAUx3wwmlemx11kqi24R3iHzQv0p1IwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA1zv8vQ8Lrglo4shYO8KmEPnnE4ud',
      'ZhhoIKiD1RamhzkCIERwDLw6NIEoyaMAEnKiSafj91/zJLpdi7nlWRi5QPkQ',
    ];
    const { subject, issuer } = describeCertificate(Buffer.from(der.join(''), 'base64'));
    expect([subject, issuer]).toEqual(['CN=press\ufffdgro.live\ufffd', 'CN=press\ufffdgro.live\ufffd']);
  });

  it('keeps the key to itself', async () => {
    await refusal(config());
    const mode = async (...path: string[]): Promise<number> => (await stat(join(deps.stateDir, 'opcua-pki', ...path))).mode & 0o077;
    expect([await mode(), await mode('own', 'private')]).toEqual([0, 0]);
    const own = await ownCertificate(deps.stateDir);
    expect(own?.applicationUri).toBe('urn:nhip:edge-agent');
    expect(await readFile(own?.file ?? '', 'utf8')).toContain('BEGIN CERTIFICATE');
  });

  it('never accepts a changed certificate of a trusted server', async () => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    await connects(config());
    const other = await start({ pkiFolder: join(folder, 'other server') });
    expect(await refusal(config({ endpoint: other.endpoint }))).toContain('waits for a decision');
    expect((await listCertificates(deps.stateDir)).map(({ state }) => state)).toEqual(['waiting', 'trusted']);
    await other.stop();
  });

  it.each([
    'Basic256Sha256',
    'Aes128_Sha256_RsaOaep',
    'Aes256_Sha256_RsaPss',
  ])('speaks %s, signed and encrypted', async (securityPolicy) => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    await connects(config({ securityPolicy, username: 'anna', password: 'very-secret' }));
    await connects(config({ securityPolicy, securityMode: 'Sign' }));
  });

  it('takes the password from a file, and tells no secret', async () => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    const passwordFile = join(deps.stateDir, 'password');
    await writeFile(passwordFile, 'very-secret\n');
    await connects(config({ username: 'anna', passwordFile }));
    await writeFile(passwordFile, 'wrong-secret\n');
    expect(await refusal(config({ username: 'anna', passwordFile }))).toContain('BadUserAccessDenied');
    await writeFile(passwordFile, '\n');
    expect(await refusal(config({ username: 'anna', passwordFile }))).toContain('is empty');
    expect(await refusal(config({ username: 'anna', passwordFile: '/nowhere/x' }))).toContain('cannot be read (ENOENT)');
    expect(lines.join()).not.toMatch(/very-secret|wrong-secret/);
  });

  it('shows a user by certificate', async () => {
    await refusal(config());
    await trust(deps.stateDir, await only());
    const user = new OPCUACertificateManager({ rootFolder: join(deps.stateDir, 'user'), disableFileWatchers: true });
    await user.initialize();
    const [userCertificateFile, userKeyFile] = [join(deps.stateDir, 'user.pem'), user.privateKey];
    const dates = { startDate: new Date(Date.now() - 60_000), validity: 10 };
    const name = { applicationUri: 'urn:anna', subject: '/CN=anna', dns: [], ip: [] };
    await user.createSelfSignedCertificate({ ...dates, ...name, outputFile: userCertificateFile });
    await user.dispose();
    await connects(config({ userCertificateFile, userKeyFile }));
    expect(await refusal(config({ userCertificateFile: userKeyFile, userKeyFile }))).toContain('is no certificate');
  });

  it('refuses a certificate that has expired, also a trusted one', async () => {
    const pkiFolder = join(folder, 'expired');
    const manager = new OPCUACertificateManager({ rootFolder: join(pkiFolder, 'server'), disableFileWatchers: true });
    await manager.initialize();
    const certificateFile = join(pkiFolder, 'server.pem');
    await manager.createSelfSignedCertificate({
      applicationUri: 'urn:old',
      subject: '/CN=old',
      dns: [],
      ip: [],
      startDate: new Date(Date.now() - 30 * 86_400_000),
      validity: 10,
      outputFile: certificateFile,
    });
    await manager.dispose();
    const old = await start({ pkiFolder, certificateFile });
    const of = config({ endpoint: old.endpoint });
    await refusal(of);
    await trust(deps.stateDir, await only());
    expect(await refusal(of)).toMatch(/TimeInvalid.*expired/);
    await old.stop();
  });

  it('says which thumbprint is meant', async () => {
    const rejected = join(deps.stateDir, 'opcua-pki', 'rejected');
    await mkdir(rejected, { recursive: true });
    await refusal(config());
    const [seen] = await listCertificates(deps.stateDir);
    await copyFile(join(folder, 'server', 'server', 'own', 'certs', 'certificate.pem'), join(rejected, 'copy.pem')).catch(() => {});
    await writeFile(join(rejected, 'not a certificate.pem'), 'hello');
    await expect(trust(deps.stateDir, 'abc')).rejects.toThrow('no thumbprint');
    await expect(trust(deps.stateDir, '../../../../etc')).rejects.toThrow('no thumbprint');
    await expect(trust(deps.stateDir, '00000000')).rejects.toThrow('no server has shown');
    await trust(deps.stateDir, seen?.thumbprint ?? '');
    expect((await listCertificates(deps.stateDir)).map(({ state }) => state)).toEqual(['trusted']);
  });
});
