import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml } from '@nhip/core/process/config';
import { DataType, StatusCodes } from 'node-opcua-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSilentServer } from '../../testing/listen-locally.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { browseServer } from './browse.ts';
import { opcuaConfig } from './config.ts';
import { scanEndpoint } from './scan.ts';
import { proposeTags } from './tag-proposal.ts';

let server: TestOpcuaServer;
let stateDir: string;

function configFor(endpoint: string) {
  const tags = [{ metric: 'unused', node: 'i=2258', dataType: 'DateTime' }];
  return opcuaConfig.parse({ id: 'browse', driver: 'opcua', endpoint, securityMode: 'None', devices: [{ id: 'unused', tags }] });
}

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'nhip-browse-'));
  server = await startOpcuaServer({
    namespaces: ['urn:other', 'urn:press'],
    nodes: [
      { node: 'nsu=urn:press;s=Temperature', dataType: 'Double', value: 41.5 },
      { node: 'nsu=urn:other;s=Name', dataType: 'String', value: 'x'.repeat(200) },
      { node: 'nsu=urn:press;s=Zones', dataType: 'Float', value: [1, 2, 3], isArray: true },
      { node: 'nsu=urn:press;s=Total', dataType: 'Int64', value: [0xffdfffff, 0xfffffffd] },
      { node: 'nsu=urn:press;s=Totals', dataType: 'UInt64', value: [[0x200000, 1]], isArray: true },
      { node: 'nsu=urn:press;s=Alarm', dataType: 'LocalizedText', value: { locale: 'vi', text: 'Dừng khẩn' } },
      { node: 'nsu=urn:press;s=None', dataType: 'Int16', value: [], isArray: true },
      { node: 'nsu=urn:press;s=Broken', dataType: 'Float', value: 1 },
      { node: 'nsu=urn:press;s=Kept', dataType: 'Int32', value: 1, history: 10, isReadOnly: true },
    ],
  });
}, 60_000);

afterAll(async () => {
  await server.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('browsing an OPC UA server', () => {
  it('names variables as a tag wants them, with type and a shortened value, and leaves the diagnostics of the server out', async () => {
    const nodes = await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1000, maxDepth: 5 });
    expect(nodes).toContainEqual({
      path: 's=Temperature',
      node: 'nsu=urn:press;s=Temperature',
      nodeClass: 'Variable',
      dataType: 'Double',
      value: '41.5',
      arrayLength: null,
      isWritable: true,
      hasHistory: false,
    });
    expect(nodes.find(({ node }) => node === 'nsu=urn:other;s=Name')?.value).toHaveLength(81);
    expect(nodes.some(({ path }) => path.startsWith('Server'))).toBe(false);
  }, 60_000);

  it('proposes tags that a config accepts', async () => {
    const nodes = await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1000, maxDepth: 5 });
    expect(nodes.find(({ node }) => node === 'nsu=urn:press;s=Kept')).toMatchObject({ hasHistory: true, isWritable: false });
    const proposal = proposeTags(nodes.filter(({ node }) => node.startsWith('nsu=urn:')));
    expect(proposal).toContain('- { metric: "s=Zones", node: "nsu=urn:press;s=Zones", dataType: Float, elements: "0-2" }\n');
    const tags: unknown = parseYaml(proposal, 'the proposal', {});
    expect(opcuaConfig.shape.devices.safeParse([{ id: 'd', tags }]).error).toBeUndefined();
    expect((tags as readonly unknown[]).length).toBeGreaterThanOrEqual(4);
  }, 60_000);

  it('shows values as a person reads them', async () => {
    const nodes = await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1000, maxDepth: 5 });
    const shown = Object.fromEntries(nodes.map(({ path, value }) => [path, value]));
    expect(shown).toMatchObject({
      's=Total': '-9007199254740995',
      's=Totals': '[9007199254740993]',
      's=Alarm': 'Dừng khẩn',
      's=Zones': '[1, 2, 3]',
    });
  }, 60_000);

  it('tells the type of a node that has no value now, and proposes nothing for an empty array', async () => {
    server.variable('nsu=urn:press;s=Broken').setValueFromSource({ dataType: DataType.Null }, StatusCodes.BadSensorFailure);
    const nodes = await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1000, maxDepth: 5 });
    expect(nodes.find(({ path }) => path === 's=Broken')).toMatchObject({ dataType: 'Float', value: null });
    const proposal = proposeTags(nodes);
    expect(proposal).toContain('- { metric: "s=Broken", node: "nsu=urn:press;s=Broken", dataType: Float }\n');
    expect(proposal).toContain('# s=None: nsu=urn:press;s=None is an array without elements now\n');
  }, 60_000);

  it('follows loops once', async () => {
    const { addressSpace } = server;
    const namespace = addressSpace.getNamespace('urn:press');
    const outer = namespace.addObject({ browseName: 'Outer', nodeId: 's=Outer', organizedBy: addressSpace.rootFolder.objects });
    const inner = namespace.addObject({ browseName: 'Inner', nodeId: 's=Inner', organizedBy: outer });
    inner.addReference({ referenceType: 'Organizes', nodeId: outer.nodeId });
    const nodes = await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1000, maxDepth: 50 });
    expect(nodes.filter(({ path }) => path.includes('Outer')).map(({ path }) => path)).toEqual(['Outer', 'Outer/Inner']);
  }, 60_000);

  it('tells the endpoints, the certificate and the namespaces of a server', async () => {
    const scan = await scanEndpoint(server.endpoint);
    expect(scan.namespaces).toEqual(expect.arrayContaining(['urn:other', 'urn:press']));
    expect(scan.endpoints[0]).toMatchObject({
      securityMode: 'SignAndEncrypt',
      isSupported: true,
      userTokens: expect.arrayContaining(['UserName']),
    });
    expect(scan.endpoints.at(-1)).toMatchObject({ securityMode: 'None', securityPolicy: 'None' });
    expect(new Set(scan.endpoints.map(({ securityPolicy }) => securityPolicy))).toContain('Aes256_Sha256_RsaPss');
    const own = new X509Certificate(server.server.getCertificate());
    expect(scan.certificate?.thumbprintSha256).toBe(own.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(scan.serverName).toMatch(/./);
  }, 60_000);

  it('scans nothing where nobody answers, and where nobody says a word', async () => {
    await expect(scanEndpoint('opc.tcp://127.0.0.1:1')).rejects.toThrow(/127\.0\.0\.1:1/);
    const silent = await startSilentServer();
    await expect(scanEndpoint(`opc.tcp://127.0.0.1:${silent.port}`, { timeoutMs: 300 })).rejects.toThrow('no answer within 300 ms');
    await silent.close();
  }, 60_000);

  it('stops at its limit', async () => {
    expect(await browseServer(configFor(server.endpoint), stateDir, { maxNodes: 1, maxDepth: 5 })).toHaveLength(1);
  }, 60_000);

  it('says in one sentence that nobody answers', async () => {
    await expect(browseServer(configFor('opc.tcp://127.0.0.1:1'), stateDir, { maxNodes: 1, maxDepth: 1 })).rejects.toThrow(
      /127\.0\.0\.1:1/,
    );
  }, 60_000);
});
