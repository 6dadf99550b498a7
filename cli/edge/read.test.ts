import { ConfigError } from '@nhip/core/process/errors';
import { closedPort } from '@nhip/edge-agent/testing/listen-locally';
import { exceptionFrame, frame, type ModbusWire, registersFrame, startModbusWire } from '@nhip/edge-agent/testing/modbus-wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAction as run } from './testing/run-action.ts';

/** Unit 3 answers by the address: 0–19 as ten times the address, 30 with three bytes, 40 with NaN, 50 not at all, 60 hangs up; unit 4 never. */
let wire: ModbusWire;
beforeAll(async () => {
  wire = await startModbusWire((request, socket) => {
    if (request.unit !== 3) return;
    if (request.start < 20) socket.write(registersFrame(request, (address) => address * 10));
    else if (request.start === 30) socket.write(frame(request.id, request.unit, [request.functionCode, 3, 0, 0, 0]));
    else if (request.start === 40) socket.write(registersFrame(request, () => 0x7fc0));
    else if (request.start === 60) socket.destroy();
    else if (request.start !== 50) socket.write(exceptionFrame(request, request.start === 70 ? 11 : 2));
  });
});
afterAll(() => wire.close());

const target = (unit?: number): string => `modbus-tcp://127.0.0.1:${wire.port}${unit === undefined ? '' : `/${unit}`}`;
const registers = (...addresses: readonly string[]): readonly string[] => addresses.flatMap((address) => ['--register', address]);

describe('edge read', () => {
  it('prints a line for each register', async () => {
    expect(await run('read', target(3), ...registers('holding:2:uint16', 'input:3:int16'))).toEqual({
      code: 0,
      text: expect.stringMatching(/^holding:2:uint16 +20 {2}good\ninput:3:int16 +30 {2}good\n$/),
    });
  });

  it.each([
    ['holding:80:uint16', 'exception 2 (illegal data address)'],
    ['holding:70:uint16', 'exception 11 (gateway target device failed to respond)'],
    ['holding:40:float32', '0x7fc07fc0 is no float32'],
    ['holding:30:uint16', '3 data bytes'],
    ['holding:50:uint16', 'no answer within 1000 ms'],
    ['holding:60:uint16', 'closed'],
  ])('says why %s is bad: %s', async (address, why) => {
    const args = [target(3), ...registers('holding:2:uint16', address)];
    const { code, text } = await run('read', ...args, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(text)).toEqual([
      { address: 'holding:2:uint16', value: 20, quality: 'good' },
      { address, value: null, quality: 'bad', reason: expect.stringContaining(why) },
    ]);
  });

  it('says it in text too, and goes on with the next address', async () => {
    const { code, text } = await run('read', target(3), ...registers('holding:80:uint16', 'holding:1:uint16'));
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/^holding:80:uint16 +– {2}bad: exception 2 \(illegal data address\)\nholding:1:uint16 +10 {2}good\n$/),
    ]);
  });

  it('does not wait for each address of a unit that does not answer', async () => {
    const { code, text } = await run('read', target(4), ...registers('holding:1:uint16', 'holding:2:uint16'), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject([
      { quality: 'bad', reason: 'no answer within 1000 ms' },
      { quality: 'bad', reason: 'not asked: the unit does not answer' },
    ]);
  });

  it('says what is missing or wrong', async () => {
    await expect(run('read', target(), ...registers('holding:0:uint16'))).rejects.toThrow(/the unit is missing/);
    await expect(run('read', target(3))).rejects.toThrow(/--register is missing/);
    await expect(run('read', target(3), ...registers('holding:0:uint17'))).rejects.toThrow(/uint17/);
    await expect(run('read', 'plc')).rejects.toThrow(ConfigError);
    await expect(run('read')).rejects.toThrow(/say where/);
    await expect(run('read', `modbus-tcp://127.0.0.1:${await closedPort()}/1`, ...registers('holding:0:uint16'))).rejects.toThrow(
      /refused/i,
    );
  });
});
