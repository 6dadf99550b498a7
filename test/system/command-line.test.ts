import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nhip, runNhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, startServer } from '../harness/plant.ts';
import { startSettablePlc } from '../harness/settable-plc.ts';

let data: DataFolder;
beforeEach(() => {
  data = makeDataFolder();
});
afterEach(() => data.remove());

function write(name: string, text: string): string {
  mkdirSync(data.path, { recursive: true });
  const file = join(data.path, name);
  writeFileSync(file, text);
  return file;
}

describe('the nhip command', () => {
  it.each(['demo', 'server', 'broker', 'edge', 'simulate', 'device', 'dlq', 'version'])('%s has help', async (command) => {
    const { code, stdout } = await runNhip([command, '--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`nhip ${command}`)]);
  });

  it('lists its commands, and says so when one does not exist (78)', async () => {
    expect((await runNhip(['--help'])).stdout).toMatch(/demo[\s\S]*server[\s\S]*edge/);
    const { code, stderr } = await runNhip(['serve']);
    expect([code, stderr]).toEqual([78, expect.stringMatching(/"serve" is not a command/)]);
  });

  it('exits with 78 and lists every problem of a server config with its path', async () => {
    const file = write('server.yaml', 'broker: { port: 99999, maxPacketByte: 5 }\nlive: { host: 5 }\nstore: { type: postgres }\nfoo: 1\n');
    const { code, stderr } = await runNhip(['server', '--config', file, '--data', data.path]);
    expect(code).toBe(78);
    for (const part of ['broker.port', 'broker.maxPacketByte: unknown key', 'live.host', 'store.type', 'foo: unknown key'])
      expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('exits with 78 and lists the problems of all connections of an edge config', async () => {
    const file = write(
      'edge.yaml',
      `group: g
edge: "a b"
mqtt: { url: "http://x" }
connections:
  - { id: a, driver: modbus, endpoint: "tcp://127.0.0.1:502", devices: [{ id: D, unit: 300, tags: [{ metric: M, address: "holding:70000:uint16" }] }] }
  - { id: b, driver: profinet }
`,
    );
    const { code, stderr } = await runNhip(['edge', 'check', '--config', file]);
    expect(code).toBe(78);
    for (const part of [
      'edge:',
      'mqtt.url',
      'connections[0].devices[0].unit',
      'connections[0].devices[0].tags[0].address',
      'connections[1]',
      'modbus, opcua',
    ])
      expect(stderr).toContain(part);
  });

  it('names a missing config file, wrong flags and wrong ports', async () => {
    expect(await runNhip(['server', '--config', '/nowhere.yaml'])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('/nowhere.yaml'),
    });
    expect(await runNhip(['server', '--http-prot', '1'])).toMatchObject({ code: 78, stderr: expect.stringContaining('--http-prot') });
    expect(await runNhip(['server', '--http-port', '70000'])).toMatchObject({ code: 78, stderr: expect.stringContaining('70000') });
    expect(await runNhip(['server', '--log-level', 'loud'])).toMatchObject({ code: 78, stderr: expect.stringContaining('"loud"') });
  });

  it.each(['--http-port', '--mqtt-port'])('says in one sentence that the port of %s is taken', async (flag) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const rest = flag === '--http-port' ? ['--mqtt-port', '0'] : ['--http-port', '0'];
    const { code, stderr } = await runNhip(['server', '--data', data.path, flag, String(port), ...rest, '--log-level', 'silent']);
    other.close();
    expect(code).not.toBe(0);
    expect(stderr).toMatch(new RegExp(`[Pp]ort ${port} on 127.0.0.1 is in use.*${flag}`));
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('checks a configuration without starting anything', async () => {
    const file = write('server.yaml', 'broker: { port: 0 }\nlive: { port: 0 }\n');
    expect(await runNhip(['server', '--config', file, '--check', '--data', join(data.path, 'none')])).toMatchObject({ code: 0 });
  });

  it('makes, lists and removes credentials, printed once, with the server running or not', async () => {
    const server = startServer(data);
    await server.ready;
    const added = await runNhip(['device', 'add', 'hoalac/press-1', '--data', data.path, '--json']);
    expect(JSON.parse(added.stdout)).toEqual({ username: 'hoalac/press-1', password: expect.stringMatching(/^[\w-]{40,}$/) });
    const listed = await runNhip(['device', 'list', '--data', data.path, '--json']);
    expect(listed.stdout).toContain('hoalac/press-1');
    expect(listed.stdout).not.toContain(JSON.parse(added.stdout).password);
    await server.stop();
    expect((await runNhip(['device', 'remove', 'hoalac/press-1', '--data', data.path])).code).toBe(0);
    expect(await runNhip(['device', 'add', 'no slash', '--data', data.path])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('<group>/<edge>'),
    });
  });

  it('reads registers of a device once, without any configuration', async () => {
    const plc = await startSettablePlc();
    plc.set(0, 0x4248);
    plc.set(1, 0x0000);
    plc.set(7, 0xfffe);
    const target = `modbus-tcp://127.0.0.1:${plc.port}/1`;
    const read = await runNhip(['edge', 'read', target, '--register', 'holding:0:float32', '--register', 'holding:7:int16', '--json']);
    expect(JSON.parse(read.stdout)).toEqual([
      { address: 'holding:0:float32', value: 50, quality: 'good' },
      { address: 'holding:7:int16', value: -2, quality: 'good' },
    ]);
    await plc.close();
    expect(await runNhip(['edge', 'read', target, '--register', 'holding:0:uint16'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await runNhip(['edge', 'read', 'modbus://x', '--register', 'a'])).toMatchObject({ code: 78 });
  });

  it('refuses a second edge agent on the same data folder: two writers would damage the outbox', async () => {
    const file = write('edge.yaml', 'group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:9", password: x }\nconnections: []\n');
    const run = ['edge', 'run', '--config', file, '--data', data.path, '--log-level', 'silent'];
    const first = nhip([...run, '--json']);
    await first.ready;
    expect(await runNhip(run)).toMatchObject({ code: 1, stderr: expect.stringMatching(/edge\/e is in use by another process/) });
    await first.kill();
    const next = nhip([...run, '--json']);
    await next.ready;
    expect((await next.stop()).code).toBe(0);
  });

  it('refuses a second server on the same data folder in one sentence', async () => {
    const first = startServer(data);
    await first.ready;
    const { code, stderr } = await runNhip([
      'server',
      '--data',
      data.path,
      '--http-port',
      '0',
      '--mqtt-port',
      '0',
      '--log-level',
      'silent',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/another process/);
    expect((await first.stop()).code).toBe(0);
  });
});
