import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { closedPort } from '@nhip/edge-agent/testing/listen-locally';
import { type ModbusSerialPeer, startModbusSerialPeer } from '@nhip/edge-agent/testing/modbus-serial-peer';
import { startOpcuaServer } from '@nhip/edge-agent/testing/opcua-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { edge } from '../commands/edge.ts';

let peer: ModbusSerialPeer;
let folder: string;
beforeAll(async () => {
  peer = await startModbusSerialPeer(3, new Map([...Array(20).keys()].map((address) => [address, address * 10] as const)));
  for (const address of [100, 101]) peer.registers.set(address, 7);
});
afterAll(() => peer.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-tools-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs one action in this process. */
async function run(action: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const command = edge.actions?.[action];
  if (command === undefined) throw new Error(`there is no action ${action}`);
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const code = await command.run(parseInput(command, args, {}));
    return { code, text: written.join('') };
  } finally {
    write.mockRestore();
  }
}

const target = (unit?: number): string => `modbus-tcp://127.0.0.1:${peer.port}${unit === undefined ? '' : `/${unit}`}`;

function config(tags: string, more = ''): string {
  const file = join(folder, 'edge.yaml');
  writeFileSync(
    file,
    `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections:\n  - id: plc\n    driver: modbus\n    endpoint: tcp://127.0.0.1:${peer.port}\n    devices:\n      - { id: MAY-01, unit: 3, tags: [${tags}] }\n${more}`,
  );
  return file;
}

const setpoint = '{ metric: Setpoint, address: "holding:5:uint16", unitName: "°C", writable: true }';
const plain = '{ metric: Level, address: "holding:6:uint16" }';

describe('edge read', () => {
  it('prints a line for each register, exit code 1 when one is bad', async () => {
    expect(await run('read', target(3), '--register', 'holding:2:uint16', '--register', 'input:3:int16')).toEqual({
      code: 0,
      text: expect.stringMatching(/^holding:2:uint16 +20 {2}good\ninput:3:int16 +30 {2}good\n$/),
    });
    const { code, text } = await run('read', target(3), '--register', 'holding:2:uint16', '--register', 'holding:50:uint16', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(text)).toEqual([
      { address: 'holding:2:uint16', value: 20, quality: 'good' },
      { address: 'holding:50:uint16', value: null, quality: 'bad' },
    ]);
  });

  it('says what is missing or wrong', async () => {
    await expect(run('read', target(), '--register', 'holding:0:uint16')).rejects.toThrow(/the unit is missing/);
    await expect(run('read', target(3))).rejects.toThrow(/--register is missing/);
    await expect(run('read', target(3), '--register', 'holding:0:uint17')).rejects.toThrow(/uint17/);
    await expect(run('read', 'plc')).rejects.toThrow(ConfigError);
    await expect(run('read')).rejects.toThrow(/say where/);
  });
});

describe('edge scan', () => {
  it('finds the unit that answers, and its registers', async () => {
    const args = ['--units', '3-4', '--timeout', '1000', '--registers', '--addresses', '0-199', '--json'];
    const { code, text } = await run('scan', target(), ...args);
    expect(code).toBe(0);
    const units = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { unit: number; tables: { table: string; readable: unknown }[] });
    expect(units.map(({ unit }) => unit)).toEqual([3]);
    const holding = units[0]?.tables.find(({ table }) => table === 'holding');
    expect(holding?.readable).toEqual([
      [0, 19],
      [100, 101],
    ]);
  }, 60_000);

  it('says in words who is there; 1 when nobody is', async () => {
    expect(await run('scan', target(3), '--timeout', '1000')).toEqual({
      code: 0,
      text: expect.stringMatching(/^unit {3}3 +\d+ ms {2}.*\n1 of 1 unit\(s\) answer\n$/),
    });
    expect(await run('scan', target(9), '--timeout', '50')).toEqual({ code: 1, text: '0 of 1 unit(s) answer\n' });
  });

  it('rejects when nothing is there, and arguments that cannot be meant', async () => {
    await expect(run('scan', `modbus-tcp://127.0.0.1:${await closedPort()}`)).rejects.toThrow(/ECONNREFUSED|refused/);
    for (const args of [
      ['--units', '0-300'],
      ['--timeout', '5'],
      ['--registers', '--addresses', '9-1'],
    ])
      await expect(run('scan', target(), ...args)).rejects.toThrow(ConfigError);
  });
});

describe('edge write', () => {
  const audit = (): string => join(folder, 'data/edge/e/audit.ndjson');

  it('sends nothing without --confirm, and says what it would do', async () => {
    const { code, text } = await run('write', 'MAY-01', 'Setpoint', '180', '--config', config(setpoint), '--data', join(folder, 'data'));
    expect([code, text]).toEqual([
      0,
      'Would write MAY-01 Setpoint = 180 °C over connection plc. Nothing was sent: add --confirm to write.\n',
    ]);
    expect(peer.writes).toEqual([]);
    expect(existsSync(audit())).toBe(false);
  });

  it('writes, reads back, and keeps a line in the audit trail', async () => {
    const file = config(setpoint);
    const { code, text } = await run('write', 'MAY-01', 'Setpoint', '181', '--config', file, '--data', join(folder, 'data'), '--confirm');
    expect([code, text]).toEqual([0, 'Wrote MAY-01 Setpoint = 181 °C; the device says 181 now.\n']);
    expect(peer.writes).toEqual([{ address: 5, value: 181 }]);
    const lines = readFileSync(audit(), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      {
        time: expect.any(String),
        author: 'console',
        device: 'MAY-01',
        metric: 'Setpoint',
        value: 181,
        outcome: 'written',
        readBack: 181,
        quality: 192,
      },
    ]);
    expect(statSync(audit()).mode & 0o777).toBe(0o600);
  });

  it('is refused for a tag that does not say writable, an unknown one, and a value of another type', async () => {
    const file = config(`${setpoint}, ${plain}`);
    const write = (...args: readonly string[]) => run('write', ...args, '--config', file, '--confirm');
    await expect(write('MAY-01', 'Level', '1')).rejects.toThrow(/may not be written: its tag must say "writable: true"/);
    await expect(write('MAY-01', 'Nothing', '1')).rejects.toThrow(/no tag Nothing/);
    await expect(write('MAY-02', 'Level', '1')).rejects.toThrow(/no device MAY-02/);
    await expect(write('MAY-01', 'Setpoint', 'hot')).rejects.toThrow(/"hot" is no whole number/);
    await expect(write('MAY-01', 'Setpoint')).rejects.toThrow(/say DEVICE METRIC VALUE/);
    expect(peer.writes.length).toBe(1);
  });

  it('takes a negative number, and sends nothing when the audit trail cannot be kept', async () => {
    const file = config('{ metric: Offset, address: "holding:5:int16", writable: true, min: -20, max: 20 }');
    const before = peer.writes.length;
    const write = (value: string, data: string) =>
      run('write', 'MAY-01', 'Offset', value, '--config', file, '--data', join(folder, data), '--confirm');
    await expect(write('-21', 'data')).rejects.toThrow(/-21 is below -20/);
    expect(JSON.parse(readFileSync(audit(), 'utf8'))).toMatchObject({ reason: '-21 is below -20, the least that may be written' });
    mkdirSync(join(folder, 'other/edge/e/audit.ndjson'), { recursive: true });
    await expect(write('-7', 'other')).rejects.toThrow(/audit.ndjson/);
    expect(peer.writes.length).toBe(before);
    expect((await write('-7', 'data')).text).toBe('Wrote MAY-01 Offset = -7; the device says -7 now.\n');
  });

  it('keeps a line also when the machine could not be reached', async () => {
    const gone = config(setpoint);
    writeFileSync(gone, readFileSync(gone, 'utf8').replace(`:${peer.port}`, `:${await closedPort()}`));
    await expect(run('write', 'MAY-01', 'Setpoint', '1', '--config', gone, '--data', join(folder, 'data'), '--confirm')).rejects.toThrow();
    expect(JSON.parse(readFileSync(audit(), 'utf8'))).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('127.0.0.1') });
  });
});

describe('edge plan', () => {
  it('says how many requests a cycle takes, and what simpler plans take', async () => {
    const file = config(`${setpoint}, ${plain}, { metric: Far, address: "holding:5000:uint16" }`);
    const { code, text } = await run('plan', '--config', file, '--requests');
    expect(code).toBe(0);
    expect(text).toMatch(/plc {2}tcp:.* busy .* % of the time\ndevice +unit +every/);
    expect(text).toMatch(/MAY-01 +3 +1000 ms +3 +2 +3 +2 /);
    expect(text).toMatch(/MAY-01 {2}holding 5–6 {2}\(2, 0 unused\)/);
    expect(JSON.parse((await run('plan', '--config', file, '--json')).text)).toMatchObject([
      { connection: 'plc', devices: [{ requests: [{}, {}] }] },
    ]);
  });
});

describe('edge trust', () => {
  it('says that no server was seen, and that a thumbprint is none', async () => {
    const file = config(plain);
    const args = ['--config', file, '--data', join(folder, 'data')];
    expect((await run('trust', 'list', ...args)).text).toMatch(/No server was seen yet/);
    await expect(run('trust', 'add', 'xyz', ...args)).rejects.toThrow(/no thumbprint/);
    await expect(run('trust', 'add', ...args)).rejects.toThrow(/say which/);
    await expect(run('trust', 'burn', ...args)).rejects.toThrow(/"burn" is none of/);
  });
});

describe('edge scan and browse of OPC UA', () => {
  it('list what a server offers, and its variables as tags want them', async () => {
    const server = await startOpcuaServer({
      namespaces: ['urn:press'],
      nodes: [{ node: 'nsu=urn:press;s=Speed', dataType: 'Double', value: 12.5 }],
    });
    try {
      const scanned = await run('scan', server.endpoint);
      expect(scanned.code).toBe(0);
      expect(scanned.text).toMatch(/SignAndEncrypt +Aes256_Sha256_RsaPss +login: .*Anonymous/);
      expect(scanned.text).toMatch(/namespace \d {2}urn:press/);
      const { code, text } = await run('browse', server.endpoint);
      expect([code, text]).toEqual([0, expect.stringMatching(/Speed\n +nsu=urn:press;s=Speed {2}Double {2}12\.5.*\n/)]);
      expect((await run('browse', server.endpoint, '--tags')).text).toContain('nsu=urn:press;s=Speed');
      const file = join(folder, 'edge.yaml');
      writeFileSync(
        file,
        `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections:\n  - { id: press, driver: opcua, endpoint: "${server.endpoint}", securityMode: None, devices: [{ id: P, tags: [{ metric: M, node: "i=2258", dataType: DateTime }] }] }\n`,
      );
      expect((await run('browse', 'press', '--config', file, '--data', join(folder, 'data'))).text).toContain('urn:press;s=Speed');
      await expect(run('browse', 'plc', '--config', file)).rejects.toThrow(/"plc" is not an opcua connection.*press/s);
    } finally {
      await server.stop();
    }
  }, 60_000);

  it('refuses a Modbus target', async () => {
    await expect(run('browse', target(3))).rejects.toThrow(/nothing to browse/);
  });
});
