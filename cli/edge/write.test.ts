import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedPort } from '@nhip/edge-agent/testing/listen-locally';
import { type ModbusSerialPeer, startModbusSerialPeer } from '@nhip/edge-agent/testing/modbus-serial-peer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { modbusConfig, plain, setpoint } from './testing/modbus-config.ts';
import { runAction as run } from './testing/run-action.ts';

let peer: ModbusSerialPeer;
let folder: string;
beforeAll(async () => {
  peer = await startModbusSerialPeer(3, new Map([...Array(20).keys()].map((address) => [address, address * 10] as const)));
});
afterAll(() => peer.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-write-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (tags: string, more?: string): string => modbusConfig(folder, peer.port, tags, more);

describe('edge write', () => {
  const audit = (): string => join(folder, 'data/edge/e/audit.ndjson');
  const refusals = (): readonly object[] =>
    readFileSync(join(folder, 'data/edge/e/audit-refused.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);

  it('sends nothing without --confirm, and says what it would do', async () => {
    const { code, text } = await run('write', 'MAY-01', 'Setpoint', '180', '--config', config(setpoint), '--data', join(folder, 'data'));
    expect([code, text]).toEqual([
      0,
      'Would write MAY-01 Setpoint = 180 °C over connection plc. Nothing was sent: add --confirm to write.\n',
    ]);
    expect(peer.writes).toEqual([]);
    expect(existsSync(audit())).toBe(false);
  });

  it('without --confirm refuses what it would refuse with it, and leaves no line', async () => {
    const level = '{ metric: Level, address: "holding:6:uint16", writable: true, min: 5, max: 500 }';
    const half = '{ metric: Half, address: "holding:7:int16", scale: 0.5, writable: true }';
    const mode = '{ metric: Mode, address: "holding:8:uint16", enum: { 0: off, 1: on }, writable: true }';
    const file = config(`${level}, ${half}, ${mode}, ${setpoint}`);
    for (const [metric, value, problem] of [
      ['Level', '4', /4 is below 5/],
      ['Level', '501', /501 is above 500/],
      ['Level', '70000', /outside of what UInt16 can hold/],
      ['Setpoint', '-1', /outside of what UInt16 can hold/],
      ['Half', '16384', /32768/],
      ['Mode', 'fast', /none of off, on/],
    ] as const) {
      const write = (...more: readonly string[]) =>
        run('write', 'MAY-01', metric, value, '--config', file, '--data', join(folder, 'data'), ...more);
      await expect(write()).rejects.toThrow(problem);
      expect(existsSync(join(folder, 'data'))).toBe(false);
      await expect(write('--confirm')).rejects.toThrow(problem);
      rmSync(join(folder, 'data'), { recursive: true });
    }
    expect(peer.writes).toEqual([]);
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
    const write = (...args: readonly string[]) => run('write', ...args, '--config', file, '--data', join(folder, 'data'), '--confirm');
    await expect(write('MAY-01', 'Level', '1')).rejects.toThrow(/may not be written: its tag must say "writable: true"/);
    await expect(write('MAY-01', 'Nothing', '1')).rejects.toThrow(/no tag Nothing/);
    await expect(write('MAY-02', 'Level', '1')).rejects.toThrow(/no device MAY-02/);
    await expect(write('MAY-01', 'Setpoint', 'hot')).rejects.toThrow(/"hot" is no whole number/);
    await expect(write('MAY-01', 'Setpoint')).rejects.toThrow(/say DEVICE METRIC VALUE/);
    const about = { time: expect.any(String), author: 'console', outcome: 'refused', reason: expect.any(String) };
    expect(refusals()).toEqual([
      { ...about, device: 'MAY-01', metric: 'Level', value: '1' },
      { ...about, device: 'MAY-01', metric: 'Nothing', value: '1' },
      { ...about, device: 'MAY-02', metric: 'Level', value: '1' },
      { ...about, device: 'MAY-01', metric: 'Setpoint', value: 'hot' },
    ]);
    expect(existsSync(audit())).toBe(false);
    expect(peer.writes.length).toBe(1);
  });

  it('takes a negative number, and sends nothing when the audit trail cannot be kept', async () => {
    const file = config('{ metric: Offset, address: "holding:5:int16", writable: true, min: -20, max: 20 }');
    const before = peer.writes.length;
    const write = (value: string, data: string) =>
      run('write', 'MAY-01', 'Offset', value, '--config', file, '--data', join(folder, data), '--confirm');
    await expect(write('-21', 'data')).rejects.toThrow(/-21 is below -20/);
    expect(refusals()).toMatchObject([{ value: -21, reason: '-21 is below -20, the least that may be written' }]);
    mkdirSync(join(folder, 'other/edge/e/audit.ndjson'), { recursive: true });
    await expect(write('-7', 'other')).rejects.toThrow(/audit.ndjson/);
    expect(peer.writes.length).toBe(before);
    expect((await write('-7', 'data')).text).toBe('Wrote MAY-01 Offset = -7; the device says -7 now.\n');
  });

  it('keeps a line also when the machine could not be reached', async () => {
    const gone = config(setpoint);
    writeFileSync(gone, readFileSync(gone, 'utf8').replace(`:${peer.port}`, `:${await closedPort()}`));
    await expect(run('write', 'MAY-01', 'Setpoint', '1', '--config', gone, '--data', join(folder, 'data'), '--confirm')).rejects.toThrow();
    expect(refusals()).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('127.0.0.1') }]);
  });
});
