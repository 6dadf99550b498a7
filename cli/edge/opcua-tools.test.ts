import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallNodeSets, startOpcuaServer, type TestOpcuaServer } from '@nhip/edge-agent/testing/opcua-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAction as run } from './testing/run-action.ts';

/** The server and each client without a configuration make RSA keys: a second on an idle computer, many on a busy one. */
const keysMs = 120_000;

let server: TestOpcuaServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-opcua-tools-'));
  server = await startOpcuaServer({
    namespaces: ['urn:press'],
    nodes: [
      { node: 'nsu=urn:press;s=Speed', dataType: 'Double', value: 12.5 },
      { node: 'nsu=urn:press;s=Force', dataType: 'Double', value: 1, history: 10 },
    ],
    nodeSets: smallNodeSets(),
  });
}, keysMs);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe('edge scan and browse of OPC UA', () => {
  it(
    'list what a server offers',
    async () => {
      const { code, text } = await run('scan', server.endpoint);
      expect(code).toBe(0);
      expect(text).toMatch(/SignAndEncrypt +Aes256_Sha256_RsaPss +login: .*Anonymous/);
      expect(text).toMatch(/namespace \d {2}urn:press/);
    },
    keysMs,
  );

  it(
    'list its variables without a configuration',
    async () => {
      const { code, text } = await run('browse', server.endpoint);
      expect([code, text]).toEqual([0, expect.stringMatching(/Speed\n +nsu=urn:press;s=Speed {2}Double {2}12\.5.*\n/)]);
    },
    keysMs,
  );

  it(
    'propose tags over a connection of the configuration',
    async () => {
      const file = join(folder, 'edge.yaml');
      writeFileSync(
        file,
        `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections:\n  - { id: press, driver: opcua, endpoint: "${server.endpoint}", securityMode: None, devices: [{ id: P, tags: [{ metric: M, node: "i=2258", dataType: DateTime }] }] }\n`,
      );
      const browse = (...args: readonly string[]) => run('browse', ...args, '--config', file, '--data', join(folder, 'data'));
      const { text } = await browse('press', '--tags');
      expect(text).toContain('nsu=urn:press;s=Speed');
      await expect(browse('plc')).rejects.toThrow(/"plc" is not an opcua connection.*press/s);
    },
    keysMs,
  );

  it('refuse a Modbus target', async () => {
    await expect(run('browse', 'modbus-tcp://127.0.0.1:502/1')).rejects.toThrow(/nothing to browse/);
  });
});

describe('edge write to OPC UA', () => {
  it(
    'writes, reads back, keeps a line in the audit trail, and leaves the history of the agent where it was',
    async () => {
      const file = join(folder, 'write.yaml');
      writeFileSync(
        file,
        `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections:\n  - { id: press, driver: opcua, endpoint: "${server.endpoint}", securityMode: None, devices: [{ id: P, tags: [{ metric: Force, node: "nsu=urn:press;s=Force", dataType: Double, writable: true }] }] }\n`,
      );
      const dataDir = join(folder, 'write-data');
      const { code, text } = await run('write', 'P', 'Force', '7.5', '--config', file, '--data', dataDir, '--confirm');
      expect([code, text]).toEqual([0, 'Wrote P Force = 7.5; the device says 7.5 now.\n']);
      expect(server.variable('nsu=urn:press;s=Force').readValue().value.value).toBe(7.5);
      const [line, ...more] = readFileSync(join(dataDir, 'edge/e/audit.ndjson'), 'utf8').trim().split('\n');
      expect(JSON.parse(line ?? '')).toMatchObject({ device: 'P', metric: 'Force', value: 7.5, outcome: 'written', readBack: 7.5 });
      expect(more).toEqual([]);
      expect(readdirSync(join(dataDir, 'edge/e/drivers'))).toEqual(['opcua-pki']);
    },
    keysMs,
  );
});
