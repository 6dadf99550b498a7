import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openssl } from '../../test/harness/openssl.ts';
import { certificateFindings } from './certificates.ts';
import { clockFindings } from './clock.ts';
import { diskFacts, diskFindings } from './disk.ts';
import type { Finding } from './finding.ts';
import { machineFindings } from './machines.ts';
import { logFacts, outboxFindings } from './outbox.ts';
import { permissionFindings } from './permissions.ts';
import { edgeFindings, pipelineFindings } from './pipeline.ts';
import { holderOf, listeningInodes, portFacts, portFindings } from './ports.ts';
import { serialPortFinding, serialPortState } from './serial-port.ts';
import { versionFindings } from './versions.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const now = Date.UTC(2026, 5, 1);

/** The worst that was found. */
function state(findings: readonly Finding[]): Finding['state'] {
  for (const worst of ['wrong', 'note'] as const) if (findings.some((finding) => finding.state === worst)) return worst;
  return 'ok';
}

function all(findings: readonly Finding[]): string {
  return findings.map(({ says, todo }) => `${says} ${todo ?? ''}`).join('\n');
}

async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('clock', () => {
  it.each([
    [{ nowMs: now, sync: 'synchronised' as const }, 'ok'],
    [{ nowMs: now, sync: 'unknown' as const }, 'note'],
    [{ nowMs: now, sync: 'free' as const }, 'wrong'],
    [{ nowMs: Date.UTC(1970, 0, 1), sync: 'synchronised' as const }, 'wrong'],
    [{ nowMs: now, sync: 'synchronised' as const, skewMs: 3600_000 }, 'wrong'],
    [{ nowMs: now, sync: 'synchronised' as const, skewMs: -900 }, 'ok'],
  ])('%o is %s', (facts, expected) => {
    expect(state(clockFindings(facts))).toBe(expected);
  });

  it('says which way the clocks differ', () => {
    expect(all(clockFindings({ nowMs: now, sync: 'synchronised', skewMs: -60_000 }))).toContain('60 s behind');
  });
});

describe('disk', () => {
  const facts = { folder: '/data', freeBytes: 10e9, freeFiles: 1e6, fsyncMs: 1 };
  const quota = { what: 'the log', setting: 'log.maxBytes', maxBytes: 2e9, usedBytes: 0.5e9 };

  it.each([
    ['enough', facts, 'ok'],
    ['little beside the quotas', { ...facts, freeBytes: 2e9 }, 'note'],
    ['less than the quotas', { ...facts, freeBytes: 1e9 }, 'wrong'],
    ['nearly full', { ...facts, freeBytes: 5e6 }, 'wrong'],
    ['no inodes', { ...facts, freeFiles: 3 }, 'wrong'],
    ['a slow card', { ...facts, fsyncMs: 300 }, 'note'],
    ['read-only', { ...facts, fsyncMs: 'EROFS' }, 'wrong'],
  ])('%s', (_, found, expected) => {
    expect(state(diskFindings(found, [quota]))).toBe(expected);
  });

  it('is measured, and nothing is left of it', async () => {
    expect(await diskFacts(folder)).toMatchObject({ fsyncMs: expect.any(Number), freeBytes: expect.any(Number) });
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await expect(diskFacts(join(folder, 'missing'))).rejects.toThrow('ENOENT');
  });
});

describe('ports', () => {
  const want = { what: 'MQTT', host: '127.0.0.1', port: 1883, setting: '--mqtt-port', isProtected: false };

  it('knows who has one', async () => {
    const { server, port } = await listening();
    const taken = await portFacts({ ...want, port }, undefined);
    expect(taken).toMatchObject({ code: 'EADDRINUSE', holder: { pid: process.pid } });
    expect(all(portFindings({ ...want, port }, taken))).toMatch(new RegExp(`process ${process.pid} .* has port ${port}.*--mqtt-port`, 's'));
    expect(await portFacts({ ...want, port }, process.pid)).toBe('server');
    expect(await portFacts({ ...want, port }, 1)).toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => server.close(resolve));
    expect(await portFacts({ ...want, port }, undefined)).toBe('free');
    expect(holderOf(port)).toBeUndefined();
    expect(state(portFindings({ ...want, host: '192.0.2.1' }, await portFacts({ ...want, host: '192.0.2.1' }, undefined)))).toBe('wrong');
  });

  it('notes what is open and not encrypted', () => {
    expect(state(portFindings(want, 'free'))).toBe('ok');
    expect(state(portFindings({ ...want, host: '0.0.0.0' }, 'free'))).toBe('note');
    expect(state(portFindings({ ...want, host: '0.0.0.0', isProtected: true }, 'server'))).toBe('ok');
  });

  it('reads the table of the kernel', () => {
    const row = '   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0';
    expect(listeningInodes(row, 1883)).toEqual(['4242']);
    expect(listeningInodes(row.replace(' 0A ', ' 01 '), 1883)).toEqual([]);
    expect(listeningInodes(row, 1884)).toEqual([]);
  });
});

describe('certificates', () => {
  it('tells what is wrong with one, and never what is in a key', () => {
    const make = (name: string, days: number): void => {
      const subject = ['-subj', '/CN=nhip', '-addext', 'subjectAltName=DNS:nhip.local'];
      const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days), ...subject];
      openssl(folder, ...args, '-keyout', `${name}.key`, '-out', `${name}.pem`);
    };
    make('good', 365);
    make('other', 10);
    const check = (name: string, options: object = {}, atMs = Date.now()) =>
      certificateFindings({ setting: 'tls.certFile', file: join(folder, `${name}.pem`), ...options }, atMs);
    const key = (name: string) => ({ key: { setting: 'tls.keyFile', file: join(folder, `${name}.key`) } });
    expect(state(check('good', key('good')))).toBe('ok');
    expect(all(check('good'))).toContain('for DNS:nhip.local');
    expect(all(check('good', key('other')))).toContain('is not the key');
    expect(state(check('other'))).toBe('note');
    expect(all(check('other', {}, Date.now() + 20 * 86_400_000))).toContain('expired on');
    expect(all(check('good', {}, Date.UTC(2020, 0, 1)))).toContain('valid only from');
    expect(all(check('missing'))).toContain('ENOENT');
    writeFileSync(join(folder, 'good.key'), readFileSync(join(folder, 'good.key'), 'utf8').replace('BEGIN', 'BEGINN'));
    const broken = all(check('good', key('good')));
    expect(broken).toContain('no private key that can be read');
    expect(broken).not.toContain(readFileSync(join(folder, 'good.key'), 'utf8').split('\n')[1]);
  });
});

describe('permissions', () => {
  it('wants secrets private and owned', () => {
    const path = join(folder, 'users.json');
    writeFileSync(path, '', { mode: 0o600 });
    const paths = [
      { path: folder, kind: 'folder' as const },
      { path, kind: 'file' as const },
      { path: join(folder, 'missing'), kind: 'file' as const },
    ];
    expect(state(permissionFindings(paths, process.getuid?.()))).toBe('ok');
    chmodSync(path, 0o640);
    expect(all(permissionFindings(paths, process.getuid?.()))).toContain(`chmod 600 ${path}`);
    chmodSync(path, 0o600);
    expect(all(permissionFindings(paths, 4_000_000))).toContain('belongs to another user');
  });
});

describe('versions', () => {
  it.each([
    [{ node: '24.1.0', nhip: '1.0.0', knownSchema: 1 }, 'ok'],
    [{ node: '20.20.2', nhip: '1.0.0', knownSchema: 1 }, 'note'],
    [{ node: '20.18.9', nhip: '1.0.0', knownSchema: 1 }, 'wrong'],
    [{ node: '24.1.0', nhip: '1.0.0', serverNhip: '0.9.0', knownSchema: 1 }, 'note'],
    [{ node: '24.1.0', nhip: '1.0.0', schema: 2, knownSchema: 1 }, 'wrong'],
  ])('%o is %s', (facts, expected) => {
    expect(state(versionFindings(facts))).toBe(expected);
  });
});

describe('the data path', () => {
  const stats: PipelineStats = {
    ...{ received: 10, stored: 10, repeated: 0, deadLettered: 0, deadLetteredByReason: {}, lost: 0, lostByReason: {}, evicted: 0 },
    ...{ lagMs: 0, logBytes: 100, logQuotaBytes: 1000, logRecordsBehind: 0, storeDownSinceMs: null, logFullSinceMs: null },
    ...{ storeProblem: null, furtherStores: [] },
  };
  const further = {
    ...{ name: 'metrics', type: 'victoriametrics', downSinceMs: null, problem: null, recordsBehind: 0, lagMs: 0 },
    ...{ stored: 10, leftOut: 0, missedRecords: 0, upkeepProblem: null },
  };
  it.each([
    ['all stored', {}, 'ok', 'stored'],
    ['store down', { storeDownSinceMs: now - 300_000 }, 'wrong', 'takes nothing for 5 min'],
    ['log full', { logFullSinceMs: now - 7_200_000 }, 'wrong', 'full for 2 h'],
    ['behind', { lagMs: 120_000, logRecordsBehind: 5000 }, 'note', '5000 records'],
    ['nearly full', { logBytes: 900, logRecordsBehind: 7 }, 'note', '7 records are not stored'],
    ['dead letters', { deadLettered: 3, deadLetteredByReason: { beforeBirth: 3 } }, 'note', 'beforeBirth 3'],
    [
      'the disk of the store full',
      { storeDownSinceMs: now, storeProblem: { code: 'store.diskFull', text: 'restart influxd' } },
      'wrong',
      'restart influxd',
    ],
    [
      'a further store away',
      { furtherStores: [{ ...further, downSinceMs: now - 300_000 }] },
      'wrong',
      'further store metrics takes nothing for 5 min',
    ],
    ['a further store without room', { furtherStores: [{ ...further, upkeepProblem: 'the disk is full' }] }, 'wrong', 'the disk is full'],
    ['a further store with a hole', { furtherStores: [{ ...further, missedRecords: 7 }] }, 'note', '7 records were gone'],
    ['losses', { lost: 9, lostByReason: { outboxQuota: 9 } }, 'note', 'outboxQuota 9'],
  ] as const)('%s', (_, change, expected, words) => {
    const findings = pipelineFindings({ ...stats, ...change }, now);
    expect(state(findings)).toBe(expected);
    expect(all(findings)).toContain(words);
  });

  const edge: EdgeHealth = {
    ...{ id: 'g/e', online: true, since: now, lastSeen: now, lagMs: 20, outboxRecords: 0, backlogAtMs: null, devices: [] },
    ...{ delivery24h: null, lastLoss: null, certificatesWaiting: null },
  };
  it.each([
    ['fine', {}, 'ok', 'online'],
    ['offline', { online: false, lastSeen: now - 600_000 }, 'wrong', 'last seen 10 min ago'],
    ['clock behind', { lagMs: 3_600_000 }, 'wrong', '60 min old'],
    ['clock ahead', { lagMs: -3_600_000 }, 'wrong', '60 min in the future'],
    ['backlog', { outboxRecords: 500 }, 'note', '500 samples wait'],
    ['a loss', { lastLoss: { reason: 'outboxQuota' as const, samples: 12, atMs: now - 86_400_000 * 3 } }, 'note', '12 samples 3 days ago'],
  ] as const)('edge: %s', (_, change, expected, words) => {
    const findings = edgeFindings([{ ...edge, ...change }], now);
    expect(state(findings)).toBe(expected);
    expect(all(findings)).toContain(words);
  });
});

describe('machines', () => {
  it('are reached or not, each by itself', async () => {
    const { server, port } = await listening();
    const endpoints = [
      { connection: 'here', endpoint: `tcp://127.0.0.1:${port}` },
      { connection: 'opcua', endpoint: `opc.tcp://127.0.0.1:${port}/path` },
    ];
    expect(state(await machineFindings(endpoints))).toBe('ok');
    await new Promise((resolve) => server.close(resolve));
    const findings = await machineFindings(endpoints);
    expect(findings.map((finding) => finding.state)).toEqual(['wrong', 'wrong']);
    expect(all(findings)).toContain('ECONNREFUSED');
  });

  it('of every kind that a Modbus connection may name are looked for where they are', async () => {
    const { server, port } = await listening();
    const endpoints = [`rtu-over-tcp://127.0.0.1:${port}`, `modbus-tcp://127.0.0.1:${port}`, 'rtu:///dev/null'].map((endpoint) => ({
      connection: 'line',
      endpoint,
    }));
    const findings = await machineFindings(endpoints);
    await new Promise((resolve) => server.close(resolve));
    expect(all(findings.filter((finding) => finding.state !== 'ok'))).toBe('');
  });

  it('that dial in, or have no address, are not called', async () => {
    const endpoints = ['listen-tcp://0.0.0.0:5020', 'listen-rtu-over-tcp://0.0.0.0:5020', 'opc.tcp://plc:99999'].map((endpoint) => ({
      connection: 'gsm',
      endpoint,
    }));
    expect((await machineFindings(endpoints)).map((finding) => finding.state)).toEqual(['note', 'note', 'note']);
  });

  it('behind a serial port that is not there, or is no serial port, need a look', async () => {
    writeFileSync(join(folder, 'ttyUSB1'), '');
    const endpoints = ['ttyUSB0', 'ttyUSB1'].map((name) => ({ connection: name, endpoint: `rtu://${join(folder, name)}` }));
    const findings = await machineFindings(endpoints);
    expect(findings.map((finding) => finding.state)).toEqual(['wrong', 'wrong']);
    expect(findings[0]?.todo).toContain('adapter');
    expect(findings[1]?.says).toContain('no serial port');
  });

  it('behind a serial port that is for others need a group, and are not called where ports are no files', () => {
    expect(serialPortFinding('line: rtu:///dev/ttyUSB0', 'forbidden')).toMatchObject({
      state: 'wrong',
      todo: expect.stringContaining('dialout'),
    });
    expect(serialPortFinding('line: rtu://COM3', serialPortState('COM3')).state).toBe('note');
  });
});

describe('outbox', () => {
  it('is measured by its files while another process writes it', async () => {
    expect(await logFacts(join(folder, 'log'), 'publisher')).toBeUndefined();
    const log = await openSegmentLog(createNodeEnv(folder), 'log', {
      ...{ segmentBytes: 4096, maxBytes: 1_000_000, keepTailBytes: 1_000_000, readers: ['publisher'], log: silentLog() },
    });
    for (let i = 0; i < 20; i++) await log.append(Buffer.alloc(1000));
    const before = await logFacts(join(folder, 'log'), 'publisher');
    await log.commit('publisher', 20);
    const after = await logFacts(join(folder, 'log'), 'publisher');
    await log.close();
    expect(before?.waitingBytes).toBe(before?.bytes);
    expect(after?.waitingBytes).toBeLessThan(5000);
  });

  it.each([
    [10, 'ok'],
    [60, 'note'],
    [99, 'wrong'],
  ])('with %i of 100 MB waiting is %s', (share, expected) => {
    expect(state(outboxFindings({ bytes: share * 1e6, waitingBytes: share * 1e6 }, 100e6))).toBe(expected);
    expect(state(outboxFindings(undefined, 100e6))).toBe('note');
  });
});
