import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { browseServer } from './browse.ts';
import { opcuaConfig } from './config.ts';

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
    });
    expect(nodes.find(({ node }) => node === 'nsu=urn:other;s=Name')?.value).toHaveLength(81);
    expect(nodes.some(({ path }) => path.startsWith('Server'))).toBe(false);
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
