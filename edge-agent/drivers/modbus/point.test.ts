import { silentLog } from '@nhip/core/process/log';
import { quality, type Value } from '@nhip/core/wire/sample';
import { describe, expect, it } from 'vitest';
import { modbusConfig } from './config.ts';
import { createPoint } from './point.ts';

const bad = { value: null, quality: quality.bad };
const good = (value: Value): object => ({ value, quality: quality.good });

function pointOf(tag: object) {
  const config = modbusConfig.parse({
    id: 'c',
    driver: 'modbus',
    endpoint: 'tcp://127.0.0.1',
    devices: [{ id: 'd', unit: 1, tags: [{ metric: 'm', ...tag }] }],
  });
  const parsed = config.devices[0]?.tags[0];
  if (parsed === undefined) throw new Error('no tag');
  return createPoint(parsed, 'ABCD', silentLog());
}

const read = (tag: object, hex: string, factor?: Value): unknown => {
  const point = pointOf(tag);
  return point.reading(point.decode(Buffer.from(hex, 'hex'), 0), factor, 1);
};

describe('what is no value is never reported as good', () => {
  it.each([
    ['a sentinel as the manual writes it', { address: 'input:0:int16', invalid: [0x8000] }, '8000', bad],
    ['a sentinel as the value says it', { address: 'input:0:int16', invalid: [-32_768] }, '8000', bad],
    ['a sentinel as text', { address: 'input:0:uint64', invalid: ['0xFFFFFFFFFFFFFFFF'] }, 'ffffffffffffffff', bad],
    ['a sentinel of 64 bits with a sign', { address: 'input:0:int64', invalid: ['0x8000000000000000'] }, '8000000000000000', bad],
    ['a sentinel before it is scaled', { address: 'input:0:uint16', invalid: [0xffff], scale: 0.1 }, 'ffff', bad],
    ['a sentinel before it is looked up', { address: 'input:0:uint16', invalid: [9], enum: { 9: 'nine' } }, '0009', bad],
    ['a neighbour of the sentinel', { address: 'input:0:uint16', invalid: [0xffff] }, 'fffe', good(65_534)],
    ['a sentinel float', { address: 'input:0:float32', invalid: [-9999.9] }, 'c61c3f9a', bad],
    ['NaN', { address: 'input:0:float32' }, '7fc00000', bad],
    ['infinity, clamped', { address: 'input:0:float32', clampMax: 5 }, '7f800000', bad],
    ['a nibble that is no digit', { address: 'input:0:bcd16' }, '12ab', bad],
    ['below its range', { address: 'input:0:int16', scale: 0.1, validMin: -40 }, 'fe6f', bad],
    ['the end of its range', { address: 'input:0:int16', scale: 0.1, validMin: -40 }, 'fe70', good(-40)],
    ['above its range', { address: 'input:0:int16', validMax: 100 }, '0065', bad],
    ['above what it is clamped to', { address: 'input:0:int16', clampMax: 100, clampMin: 0 }, '0065', good(100)],
    ['below what it is clamped to', { address: 'input:0:int16', clampMax: 100, clampMin: 0 }, 'ffff', good(0)],
    ['outside its range though it would be clamped', { address: 'input:0:int16', clampMax: 100, validMax: 200 }, '012c', bad],
  ])('%s', (_, tag, hex, expected) => {
    expect(read(tag, hex)).toMatchObject(expected);
  });

  it('multiplies by the power of ten that the device says, and has no value without one', () => {
    const tag = { address: 'input:0:int16', scaleFactor: 'input:1:int16' };
    expect(read(tag, '0929', -1)).toMatchObject(good(234.5));
    expect(read(tag, '0929', 2)).toMatchObject(good(234_500));
    for (const factor of [-32_768, 11, -11, null, undefined]) expect(read(tag, '0929', factor)).toMatchObject(bad);
    expect(read({ ...tag, invalid: [0x8000] }, '8000', 0)).toMatchObject(bad);
  });
});

describe('the config of a tag', () => {
  const problems = (tag: object): readonly string[] => {
    const config = { id: 'c', driver: 'modbus', endpoint: 'tcp://a', devices: [{ id: 'd', unit: 1, tags: [{ metric: 'm', ...tag }] }] };
    return modbusConfig.safeParse(config).error?.issues.map((issue) => `${issue.path.slice(4).join('.')}: ${issue.message}`) ?? [];
  };
  it.each([
    [{ address: 'input:0:int16', writable: true }, 'writable: nothing can be written to the table input'],
    [{ address: 'holding:0:int16', min: 1 }, 'writable: min and max are for writable tags'],
    [{ address: 'holding:0:int16', validMin: 5, validMax: 1 }, 'validMin: is above validMax'],
    [{ address: 'holding:0:string4', clampMax: 1 }, 'clampMax: only a number has clampMax'],
    [{ address: 'holding:0:epoch32', scale: 2 }, 'scale: a epoch32 cannot be scaled'],
    [
      { address: 'holding:0:int16', scaleFactor: 'holding:1:uint16' },
      'scaleFactor: must be the address of an int16, e.g. holding:40:int16',
    ],
    [{ address: 'holding:0.1:bool', invalid: [1] }, 'invalid: a bool has no invalid numbers'],
    [{ address: 'holding:0:int16', invalid: ['none'] }, 'invalid.0: must be a number such as -1 or 0x8000'],
  ])('%o: %s', (tag, problem) => {
    expect(problems(tag).map((text) => text.replace('Invalid input', 'must be a number such as -1 or 0x8000'))).toContain(problem);
  });

  it('keeps what serial lines cannot have from them', () => {
    const config = (change: object, unit = 1): object => ({
      id: 'c',
      driver: 'modbus',
      endpoint: 'rtu:///dev/ttyUSB0',
      devices: [{ id: 'd', unit, tags: [{ metric: 'm', address: 'coil:0:bool' }] }],
      ...change,
    });
    expect(modbusConfig.safeParse(config({})).success).toBe(true);
    expect(modbusConfig.safeParse(config({}, 0)).success).toBe(false);
    expect(modbusConfig.safeParse(config({ acceptAnyUnit: true })).success).toBe(false);
    expect(modbusConfig.safeParse(config({ serial: { dataBits: 7 } })).success).toBe(false);
    expect(modbusConfig.safeParse(config({ backupEndpoint: 'listen-tcp://0.0.0.0:502' })).success).toBe(false);
    expect(modbusConfig.parse(config({ serial: { baudRate: 19_200 } })).serial).toEqual({
      baudRate: 19_200,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
    });
  });
});
