import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';

describe('a Modbus address', () => {
  it.each([
    ['holding:100:uint16', { table: 'holding', start: 100, count: 1, type: 'uint16', order: 'ABCD' }],
    ['input:0:float32:CDAB', { table: 'input', start: 0, count: 2, type: 'float32', order: 'CDAB' }],
    ['holding:65532:int64', { start: 65532, count: 4 }],
    ['coil:65535:bool', { table: 'coil', start: 65535, count: 1, bit: undefined }],
    ['discrete:7:bool', { table: 'discrete', start: 7 }],
    ['holding:3.15:bool', { bit: 15, count: 1, type: 'bool' }],
    ['holding:3.0:bool:BA', { bit: 0, order: 'BADC' }],
    ['holding:10:string5', { count: 3, stringBytes: 5 }],
    // A device-wide order may stand on every tag: for one register only the bytes matter.
    ['holding:100:uint16:CDAB', { order: 'ABCD' }],
    ['holding:100:uint16:DCBA', { order: 'BADC' }],
    ['holding:100:int16:BA', { order: 'BADC' }],
  ])('%s is understood', (text, expected) => {
    expect(parseAddress(text)).toMatchObject(expected);
  });

  it.each([
    ['register:1:uint16', 'not a table'],
    ['holding:1', 'table:number:type'],
    ['holding:1:uint16:AB:extra', 'table:number:type'],
    ['holding:65536:uint16', 'not a register number'],
    ['holding:-1:uint16', 'not a register number'],
    ['holding:65535:uint32', 'ends after register 65535'],
    ['holding:1:int8', 'not a type'],
    ['holding:1:string0', 'not a type'],
    ['holding:1:string251', 'not a type'],
    ['holding:1:bool', 'needs its bit'],
    ['holding:1.16:bool', '0 to 15'],
    ['holding:1.2:uint16', '0 to 15'],
    ['coil:1:uint16', 'single bit'],
    ['coil:1.2:bool', 'single bit'],
    ['coil:1:bool:AB', 'not a byte order'],
    ['holding:1:float32:AB', 'ABCD, CDAB, BADC, DCBA'],
    ['holding:1:uint16:XY', 'AB or BA'],
    ['holding:1:constructor', 'not a type'],
  ])('%s is refused: %s', (text, problem) => {
    expect(parseAddress(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
