import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModbusDevice, startModbusDevice } from '@nhip/edge-agent/profiles/testing/modbus-device';
import { commonModel, modelRegisters, sunspecImage } from '@nhip/edge-agent/profiles/testing/sunspec-device';
import { closedPort } from '@nhip/edge-agent/testing/listen-locally';
import { exceptionFrame, registersFrame, startModbusWire } from '@nhip/edge-agent/testing/modbus-wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAction } from './testing/run-action.ts';

const cabinetWithoutValue = { id: 103, registers: modelRegisters(50, 0, { 33: 0x8000 }) };
const { image, bases, endsAt } = sunspecImage(40_000, [
  commonModel('Acme\nSolar', 'Sun 5', '1.2', 'S-77'),
  cabinetWithoutValue,
  { id: 64_110, registers: [1, 2, 3] },
]);

let inverter: ModbusDevice;
let other: ModbusDevice;
beforeAll(async () => {
  inverter = await startModbusDevice('holding', image, (start, count) => start < 40_000 || start + count > endsAt);
  other = await startModbusDevice('holding', image, () => true);
});
afterAll(() => Promise.all([inverter.stop(), other.stop()]));

describe('edge scan --sunspec', () => {
  it('prints the models, and a connection that edge check takes as it is', async () => {
    const { code, text } = await runAction('scan', '--sunspec', `modbus-tcp://127.0.0.1:${inverter.port}/1`, '--timeout', '5000');
    expect(code).toBe(0);
    expect(text).toBe(`# unit 1: Acme?Solar Sun 5, version 1.2, serial S-77; SunSpec at 40000
#   model     1 at 40002,  66 registers: no profile
#   model   103 at 40070,  50 registers: profile sunspec-103, 1 without a value
#   model 64110 at 40122,   3 registers: no profile
connections:
  - id: sunspec
    driver: modbus
    endpoint: "tcp://127.0.0.1:${inverter.port}"
    devices:
      # Acme?Solar, Sun 5, version 1.2, serial S-77
      # model 1 at 40002: no profile
      - id: sunspec-103-unit1-40070
        displayName: "Acme?Solar Sun 5"
        profile: sunspec-103@1
        base: 40070
        unit: 1
        # The device had no value for these when it was asked:
        without: [Temperature/Cabinet]
      # model 64110 at 40122: no profile
`);
    const folder = mkdtempSync(join(tmpdir(), 'nhip-sunspec-'));
    try {
      const file = join(folder, 'edge.yaml');
      writeFileSync(file, `group: g\nedge: e\nmqtt: { url: "mqtt://127.0.0.1:1", password: x }\n${text}`);
      expect((await runAction('check', '--config', file)).text).toContain('1 connection(s), 1 device(s), no problems');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is JSON, an object for each unit', async () => {
    const { code, text } = await runAction('scan', '--sunspec', `modbus-tcp://127.0.0.1:${inverter.port}/1`, '--timeout', '5000', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      unit: 1,
      isThere: true,
      reason: null,
      device: { base: 40_000, serial: 'S-77', models: [{ id: 1 }, { id: 103, base: bases[1], hasProfile: true }, { id: 64_110 }] },
      yaml: expect.stringContaining('profile: sunspec-103@1'),
    });
  });

  it('says of each unit why it has none; exit code 1', async () => {
    const args = [`modbus-tcp://127.0.0.1:${other.port}`, '--units', '1-2', '--timeout', '1000'];
    const { code, text } = await runAction('scan', '--sunspec', ...args);
    expect(code).toBe(1);
    expect(text).toMatch(
      /^# unit 1: no SunSpec marker at 40000, 50000 or 0\n# unit 2: .*no answer within 1000 ms\n# no SunSpec device with a profile was found\n$/,
    );
  });

  it('looks at every unit when none is named, and passes over those that are not there', async () => {
    // A gateway: it says of each other unit that nobody is there.
    const gateway = await startModbusWire((request, socket) => {
      const isThere = request.unit === 7 && request.start >= 40_000 && request.start + request.count <= endsAt;
      const answer = isThere ? registersFrame(request, (address) => image.registers(address, 1)[0] ?? 0) : undefined;
      socket.write(answer ?? exceptionFrame(request, request.unit === 7 ? 2 : 11));
    });
    try {
      const { code, text } = await runAction('scan', '--sunspec', `modbus-tcp://127.0.0.1:${gateway.port}`, '--timeout', '10000');
      expect([code, text.match(/^# unit \d+/gm)]).toEqual([0, ['# unit 7']]);
      expect(new Set(gateway.requests.map(({ unit }) => unit)).size).toBe(247);
    } finally {
      await gateway.close();
    }
  });

  it('rejects when nothing listens, and two ways at once', async () => {
    await expect(runAction('scan', '--sunspec', `modbus-tcp://127.0.0.1:${await closedPort()}/1`)).rejects.toThrow(/ECONNREFUSED|refused/);
    await expect(runAction('scan', '--sunspec', '--registers', `modbus-tcp://127.0.0.1:${other.port}/1`)).rejects.toThrow(/one of/);
  });
});
