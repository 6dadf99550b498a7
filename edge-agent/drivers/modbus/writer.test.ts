import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { quality } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TagWrite } from '../../driver.ts';
import { modbusConfig } from './config.ts';
import { createDevicePoints } from './device-points.ts';
import { ModbusExceptionError } from './errors.ts';
import type { Exchange } from './pdu.ts';
import { createDeviceWriter } from './writer.ts';

/** A device that has its registers in memory and does what the specification says; `lacks` are functions it does not know. */
function createMemoryDevice(lacks: readonly number[] = []) {
  const registers = Buffer.alloc(400);
  const coils = Buffer.alloc(100);
  const log: number[] = [];
  const send = async (exchange: Exchange): Promise<Buffer> => {
    const { pdu } = exchange;
    const functionCode = pdu[0] ?? 0;
    log.push(functionCode);
    if (lacks.includes(functionCode)) throw new ModbusExceptionError(exchange, 1);
    const at = pdu.readUInt16BE(1);
    const second = pdu.readUInt16BE(3);
    if (functionCode === 1) return exchange.readAnswer(Buffer.from([1, 1, coils[at] ?? 0]));
    if (functionCode === 3) {
      return exchange.readAnswer(Buffer.from([3, second * 2, ...registers.subarray(at * 2, (at + second) * 2)]));
    }
    if (functionCode === 5) coils[at] = second === 0xff00 ? 1 : 0;
    if (functionCode === 15) coils[at] = pdu[6] ?? 0;
    if (functionCode === 6) registers.writeUInt16BE(second, at * 2);
    if (functionCode === 16) pdu.copy(registers, at * 2, 6);
    if (functionCode === 22) {
      const or = pdu.readUInt16BE(5);
      registers.writeUInt16BE((registers.readUInt16BE(at * 2) & second) | (or & ~second & 0xffff), at * 2);
    }
    return exchange.readAnswer(pdu.subarray(0, functionCode === 22 ? 7 : 5));
  };
  return { registers, coils, log, send };
}

function setUp(tag: object, { lacks = [], device = {} }: { lacks?: readonly number[]; device?: object } = {}) {
  const memory = createMemoryDevice(lacks);
  const config = modbusConfig.parse({
    id: 'c',
    driver: 'modbus',
    endpoint: 'tcp://127.0.0.1',
    devices: [{ id: 'press', unit: 1, tags: [{ metric: 'Set', writable: true, ...tag }], ...device }],
  });
  const [only] = config.devices;
  if (only === undefined) throw new Error('no device');
  const writer = createDeviceWriter(only, createDevicePoints(only, silentLog()));
  return {
    ...memory,
    write: (value: TagWrite['value'], metric = 'Set') => writer.write({ metric, value }, memory.send, () => 1),
  };
}

describe('writing to a device', () => {
  it.each([
    [{ address: 'holding:4:uint16' }, 77, [6, 3]],
    [{ address: 'holding:4:float32:CDAB' }, 1.5, [16, 3]],
    [{ address: 'holding:4:int64' }, -(2n ** 60n), [16, 3]],
    [{ address: 'holding:4:string6' }, 'Press', [16, 3]],
    [{ address: 'holding:4:int16', scale: 0.1, offset: -40 }, 21.5, [6, 3]],
    [{ address: 'holding:4:uint16', enum: { 0: 'off', 3: 'on' } }, 'on', [6, 3]],
    [{ address: 'holding:4.5:bool' }, true, [22, 3]],
    [{ address: 'holding:4.4-7:uint16' }, 9, [22, 3]],
    [{ address: 'holding:4:bcd32' }, 12_345_678, [16, 3]],
    [{ address: 'coil:4:bool' }, true, [5, 1]],
  ])('%o takes %s, by functions %o', async (tag, value, functions) => {
    const device = setUp(tag);
    expect(await device.write(value)).toEqual({ metric: 'Set', value, timestampMs: 1, quality: quality.good });
    expect(device.log).toEqual(functions);
  });

  it('uses only functions 15 and 16 where the device knows no others', async () => {
    const multiple = { device: { writeFunction: 'multiple' }, lacks: [5, 6, 22] };
    const register = setUp({ address: 'holding:4:uint16' }, multiple);
    expect(await register.write(5)).toMatchObject({ value: 5 });
    const bit = setUp({ address: 'holding:4.0:bool' }, multiple);
    expect(await bit.write(true)).toMatchObject({ value: true });
    expect(bit.log).toEqual([3, 16, 3]);
    const coil = setUp({ address: 'coil:4:bool' }, multiple);
    expect(await coil.write(true)).toMatchObject({ value: true });
  });

  it('changes only its bits, with function 22 or without it, whatever the register held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(65_535), fc.nat(15), fc.boolean(), fc.constantFrom('', ':BA'), async (before, value, hasMask, order) => {
        const device = setUp({ address: `holding:4.4-7:uint16${order}` }, { lacks: hasMask ? [] : [22] });
        device.registers.writeUInt16BE(before, 8);
        expect(await device.write(value)).toMatchObject({ value });
        const shift = order === '' ? 4 : 12;
        expect(device.registers.readUInt16BE(8)).toBe((before & ~(15 << shift) & 0xffff) | (value << shift));
        await device.write(value);
        // Asked once, a device that has no function 22 is not asked for it again.
        expect(device.log.filter((functionCode) => functionCode === 22).length).toBe(hasMask ? 2 : 1);
      }),
      { numRuns: 60 },
    );
  });

  it('undoes the scale factor that the device has at that time', async () => {
    const device = setUp({ address: 'holding:4:int16', scaleFactor: 'holding:10:int16' });
    device.registers.writeInt16BE(-2, 20);
    expect(await device.write(12.34)).toMatchObject({ value: 12.34, quality: quality.good });
    expect(device.registers.readInt16BE(8)).toBe(1234);
    device.registers.writeUInt16BE(0x8000, 20);
    await expect(device.write(12)).rejects.toThrow('scale factor');
  });

  it.each([
    [{ address: 'holding:4:uint16' }, 70_000, 'not a whole number'],
    [{ address: 'holding:4:uint16' }, 'high', 'not a number'],
    [{ address: 'holding:4:uint16', min: 10, max: 20 }, 9, 'below 10'],
    [{ address: 'holding:4:uint16', min: 10, max: 20 }, 21, 'above 20'],
    [{ address: 'holding:4:uint16', scale: 0.001 }, 66, 'not a whole number'],
    [{ address: 'holding:4:uint16', enum: { 0: 'off' } }, 'on', 'none of off'],
    [{ address: 'holding:4:uint16', writable: false }, 1, 'not writable'],
  ])('%o refuses %s before anything is sent', async (tag, value, why) => {
    const device = setUp(tag);
    const error = await device.write(value).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(why);
    await expect(device.write(1, 'Other')).rejects.toThrow('no such metric');
    expect(device.log).toEqual([]);
  });

  it('says what the device made of it', async () => {
    const device = setUp({ address: 'holding:4:uint16' });
    const { send } = device;
    const stubborn = async (exchange: Exchange): Promise<Buffer> => {
      const answer = await send(exchange);
      device.registers.writeUInt16BE(50, 8);
      return answer;
    };
    const config = modbusConfig.parse({
      id: 'c',
      driver: 'modbus',
      endpoint: 'tcp://127.0.0.1',
      devices: [{ id: 'press', unit: 1, tags: [{ metric: 'Set', writable: true, address: 'holding:4:uint16' }] }],
    });
    const [only] = config.devices;
    if (only === undefined) throw new Error('no device');
    const writer = createDeviceWriter(only, createDevicePoints(only, silentLog()));
    expect(await writer.write({ metric: 'Set', value: 80 }, stubborn, () => 1)).toMatchObject({ value: 50 });
  });
});
