import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';

describe('a Modbus address', () => {
  it.each([
    ['holding:100:uint16', { table: 'holding', start: 100, count: 1, type: 'uint16', order: 'ABCD' }],
    ['input:0:float32:CDAB', { table: 'input', start: 0, count: 2, type: 'float32', order: 'CDAB' }],
    ['holding:65532:int64', { start: 65532, count: 4 }],
    ['coil:65535:bool', { table: 'coil', start: 65535, count: 1, bits: undefined }],
    ['discrete:7:bool', { table: 'discrete', start: 7 }],
    ['holding:3.15:bool', { bits: { from: 15, count: 1 }, count: 1, type: 'bool' }],
    ['holding:3.0:bool:BA', { bits: { from: 0, count: 1 }, order: 'BADC' }],
    ['holding:10:string5', { count: 3, stringBytes: 5 }],
    // A device-wide order may stand on every tag: for one register only the bytes matter.
    ['holding:100:uint16:CDAB', { order: 'ABCD' }],
    ['holding:100:uint16:DCBA', { order: 'BADC' }],
    ['holding:100:int16:BA', { order: 'BADC' }],
    ['holding:5.hi:int8', { type: 'int8', count: 1, bits: { from: 8, count: 8 } }],
    ['holding:5.4-7:uint16', { bits: { from: 4, count: 4 } }],
    ['input:5:float64:EFGHABCD', { order: 'EFGHABCD', count: 4 }],
    ['input:5:int64:GHEFCDAB', { order: 'CDAB' }],
    ['input:5:mod10k3', { count: 3 }],
  ])('%s is understood', (text, expected) => {
    expect(parseAddress(text)).toMatchObject(expected);
  });

  it.each([
    ['register:1:uint16', 'not a table'],
    ['40101', 'holding:100:<type>'],
    ['10001', 'discrete:0:bool'],
    ['holding:1', 'table:number:type'],
    ['holding:1:uint16:AB:extra', 'table:number:type'],
    ['holding:65536:uint16', 'not a register number'],
    ['holding:-1:uint16', 'not a register number'],
    ['holding:65535:uint32', 'ends after register 65535'],
    ['holding:1:int9', 'not a type'],
    ['holding:1:int8', 'half a register'],
    ['holding:1.3:uint8', 'half a register'],
    ['holding:1.hi:uint16', 'no part of a register'],
    ['holding:1.7-4:uint16', 'no part of a register'],
    ['holding:1.4-7:bool', 'uint16 or an int16'],
    ['holding:1:float32:EFGHABCD', 'ABCD, CDAB, BADC, DCBA'],
    ['holding:1:int64:BA', 'CDABGHEF'],
    ['holding:1:string0', 'not a type'],
    ['holding:1:string251', 'not a type'],
    ['holding:1:bool', 'needs its bit'],
    ['holding:1.16:bool', '.0 to .15'],
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
