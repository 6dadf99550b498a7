import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { type ApprovalProblem, type EdgeCertificates, maxEdgeTextBytes } from '@nhip/core/wire/edge-control';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConnections } from '../agent.ts';
import { type AgentConfig, agentConfig } from '../config.ts';
import type { SeenCertificate, ServerTrust } from '../driver.ts';
import { opcua } from '../drivers/opcua/index.ts';
import { listCertificates, preparePkiFolder, trust } from '../drivers/opcua/trust.ts';
import { type CertificateDesk, createCertificateDesk } from './certificate-desk.ts';
import { approvalProblem } from './certificates.ts';

let stateDir: string;
let thumbprint: string;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'nhip-desk-'));
  const manager = new OPCUACertificateManager({ rootFolder: join(stateDir, 'server'), disableFileWatchers: true });
  await manager.initialize();
  const outputFile = join(stateDir, 'server.pem');
  const dates = { startDate: new Date(Date.now() - 60_000), validity: 10 };
  await manager.createSelfSignedCertificate({ applicationUri: 'urn:press', subject: '/CN=press', dns: [], ip: [], ...dates, outputFile });
  await manager.dispose();
  // As the library leaves a certificate that it has not seen before.
  const client = new OPCUACertificateManager({ rootFolder: await preparePkiFolder(stateDir), disableFileWatchers: true });
  await client.initialize();
  const { readFile } = await import('node:fs/promises');
  const pem = await readFile(outputFile, 'utf8');
  const der = Buffer.from(/CERTIFICATE-----([^-]+)-----/.exec(pem)?.[1] ?? '', 'base64');
  await client.rejectCertificate(der);
  await client.dispose();
  thumbprint = createHash('sha256').update(der).digest('hex');
});
afterAll(() => rm(stateDir, { recursive: true, force: true }));

async function desk(
  options: { takes?: boolean; problem?: ApprovalProblem; trust?: ServerTrust; clock?: Clock } = {},
): Promise<CertificateDesk> {
  const load = opcua.servers?.loadTrust;
  if (load === undefined) throw new Error('the driver has no list');
  return createCertificateDesk({
    clock: options.clock ?? createNodeClock(),
    log: silentLog(),
    stateDir,
    trust: options.trust ?? (await load()),
    takesDecisions: options.takes ?? true,
    approvalProblem: () => options.problem ?? null,
  });
}

const told = async (of: CertificateDesk): Promise<EdgeCertificates> => JSON.parse(await of.text()) as EdgeCertificates;
const stateNow = async () => (await listCertificates(stateDir)).map(({ state }) => state);
const decide = (of: CertificateDesk, decision: string, print = thumbprint) => of.decide(JSON.stringify({ thumbprint: print, decision }));

describe('certificates that the server decides on', () => {
  it('are told with what a person needs, and trusted or refused by a decision', async () => {
    const made = await desk();
    expect(await told(made)).toMatchObject({
      ...{ takesDecisions: true, approvalProblem: null, more: 0, last: null },
      certificates: [{ thumbprint, uri: 'urn:press', subject: 'CN=press', state: 'waiting' }],
    });
    await decide(made, 'approve');
    expect(await told(made)).toMatchObject({
      certificates: [{ state: 'trusted' }],
      last: { thumbprint, outcome: 'approved', reason: null },
    });
    expect(await stateNow()).toEqual(['trusted']);
    await decide(made, 'reject');
    expect(await told(made)).toMatchObject({ certificates: [{ state: 'rejected' }], last: { outcome: 'rejected' } });
  });

  it.each([
    ['takesNone', { takes: false }, 'approve'],
    ['takesNone', { takes: false }, 'reject'],
    ['passwordShown', { problem: 'passwordShown' }, 'approve'],
    ['commandsEnabled', { problem: 'commandsEnabled' }, 'approve'],
  ] as const)('are left as they are: %s', async (reason, options, decision) => {
    await trust(stateDir, thumbprint);
    if (decision === 'approve') await decide(await desk(), 'reject');
    const before = await stateNow();
    const made = await desk(options);
    await decide(made, decision);
    expect(await stateNow()).toEqual(before);
    expect((await told(made)).last).toMatchObject({ thumbprint, outcome: 'refused', reason });
  });

  it('are refused also when they must not be trusted from afar', async () => {
    await trust(stateDir, thumbprint);
    await decide(await desk({ problem: 'passwordShown' }), 'reject');
    expect(await stateNow()).toEqual(['rejected']);
  });

  it('are none that no server has shown, and no text that is no decision', async () => {
    const made = await desk();
    await decide(made, 'approve', '0'.repeat(64));
    expect((await told(made)).last).toMatchObject({ outcome: 'refused', reason: 'failed' });
    const fresh = await desk();
    const before = await stateNow();
    for (const text of [
      '',
      '{',
      '[]',
      '{"thumbprint":"../../x","decision":"approve"}',
      `{"thumbprint":"${thumbprint.slice(0, 8)}","decision":"approve"}`,
    ])
      await fresh.decide(text);
    await decide(fresh, 'trust');
    expect((await told(fresh)).last).toBeNull();
    expect(await stateNow()).toEqual(before);
  });

  it('are told within the bound, those that wait first, however many and long they are', async () => {
    const many = Array.from(
      { length: 500 },
      (_, i): SeenCertificate => ({
        thumbprintSha256: String(i).padStart(64, '0'),
        subject: '\u0001"é'.repeat(1000),
        applicationUri: 'urn:x'.repeat(1000),
        endpoint: 'opc.tcp://x'.repeat(100),
        ...{ validFromMs: 0, validToMs: 1, sinceMs: 2, state: 'waiting' },
      }),
    );
    const list: ServerTrust = { list: async () => many, trust: async () => undefined, reject: async () => undefined };
    const made = await desk({ trust: list });
    const text = await made.text();
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxEdgeTextBytes);
    const { certificates, more } = JSON.parse(text) as EdgeCertificates;
    expect(certificates.length).toBeGreaterThan(5);
    expect(certificates[0]?.thumbprint).toBe(many[0]?.thumbprintSha256);
    expect(certificates.length + more).toBe(500);
  });

  it('are told quickly, however many there are', async () => {
    let looks = 0;
    const one = {
      ...{ thumbprintSha256: thumbprint, applicationUri: null, endpoint: null, validFromMs: 0, validToMs: 1, sinceMs: 2 },
      get subject() {
        looks++;
        return 'CN=press';
      },
      state: 'waiting' as const,
    };
    const many = Array.from({ length: 2000 }, () => one);
    await (await desk({ trust: { list: async () => many, trust: async () => undefined, reject: async () => undefined } })).text();
    expect(looks).toBeLessThan(100);
  });

  it('are told as they were decided on, also when they were being listed meanwhile, slowly', async () => {
    let state: SeenCertificate['state'] = 'trusted';
    const seen = () => [
      {
        ...{ thumbprintSha256: thumbprint, subject: 'CN=press', applicationUri: null, endpoint: null, validFromMs: 0, validToMs: 1 },
        ...{ sinceMs: 2, state },
      },
    ];
    const clock = createSimClock();
    let goOn = (): void => undefined;
    let isSlow = true;
    const trust: ServerTrust = {
      async list() {
        const found = seen();
        if (isSlow) {
          isSlow = false;
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        }
        return found;
      },
      trust: async () => undefined,
      async reject() {
        state = 'rejected';
      },
    };
    const made = await desk({ trust, clock });
    const slow = made.text();
    await decide(made, 'reject');
    await clock.advance(1000);
    goOn();
    await slow;
    expect((await told(made)).certificates).toMatchObject([{ state: 'rejected' }]);
  });

  it('are told as none when the folder cannot be read', async () => {
    await writeFile(join(stateDir, 'file'), '');
    const made = createCertificateDesk({
      ...{
        clock: createNodeClock(),
        log: silentLog(),
        stateDir: join(stateDir, 'file'),
        takesDecisions: true,
        approvalProblem: () => null,
      },
      trust: (await opcua.servers?.loadTrust()) as ServerTrust,
    });
    expect((await told(made)).certificates).toEqual([]);
  });
});

describe('trust from afar', () => {
  const config = (opcuaFields: object, commands = {}): AgentConfig =>
    agentConfig.parse({
      ...{ group: 'g', edge: 'e', mqtt: { url: 'mqtt://127.0.0.1', password: 'x' }, commands },
      connections: [{ id: 'cell', driver: 'opcua', endpoint: 'opc.tcp://127.0.0.1', devices: [], ...opcuaFields }],
    });
  const device = { devices: [{ id: 'd', intervalMs: 100, tags: [{ metric: 'N', node: 'nsu=urn:x;s=N', dataType: 'Double' }] }] };
  const secure = { ...device, securityMode: 'SignAndEncrypt' };
  it.each([
    [null, config(secure)],
    ['passwordShown', config({ ...secure, username: 'u', password: 'p' })],
    ['commandsEnabled', config(secure, { enabled: true })],
  ] as const)('%s', (expected, made) => {
    expect(approvalProblem(made, resolveConnections(made, 'test'))).toBe(expected);
  });
});
